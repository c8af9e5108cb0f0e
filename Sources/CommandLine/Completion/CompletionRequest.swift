internal import Fleet

/// What may follow the words of a command line.
enum CompletionCandidates: Equatable {
    case words([String])
    /// Names of documents; the project is that of the words.
    case names(Kind, project: String?)
    case contexts
    case files
}

/// A command line under the cursor.
struct CompletionRequest {
    let outline: CommandOutline
    /// Without the name of the program; the last is what is being typed.
    let words: [String]

    var prefix: String { words.last ?? "" }

    var candidates: CompletionCandidates {
        var command = outline
        var path: [String] = []
        var positionals: [String] = []
        var open: CommandOutline.Argument?
        for word in words.dropLast() {
            if open != nil {
                open = nil
            } else if word.hasPrefix("-") {
                let option = command.option(word)
                open = option?.kind == .option && !word.contains("=") ? option : nil
            } else if positionals.isEmpty, let next = command.subcommand(word) {
                command = next
                path.append(word)
            } else {
                positionals.append(word)
            }
        }
        if let open { return value(of: open, path: path) }
        if prefix.hasPrefix("-") { return .words(flags(of: command)) }
        if let below = command.subcommands, !below.isEmpty, positionals.isEmpty {
            return .words(below.filter(\.shouldDisplay).map(\.commandName))
        }
        return positional(of: command, path: path, before: positionals)
    }

    private func flags(of command: CommandOutline) -> [String] {
        (command.arguments ?? []).filter { $0.kind != .positional && $0.shouldDisplay }
            .flatMap { ($0.names ?? []).map(\.typed) }.filter { $0.hasPrefix("--") || prefix == "-" }
    }

    private func value(of option: CommandOutline.Argument, path: [String]) -> CompletionCandidates {
        switch option.names?.first(where: { $0.kind == "long" })?.name {
        case "output": .words(OutputFormat.allCases.map(\.rawValue))
        case "context": .contexts
        case "project": .names(.project, project: nil)
        case "cell": .names(.cell, project: nil)
        case "pool": .names(.pool, project: nil)
        case "flavor": .names(.flavor, project: nil)
        case "score": .words(PoolSpec.Placement.offered)
        case "class": .words(WorkloadClass.allCases.map(\.rawValue))
        case "on-partition": .words(PartitionPolicy.allCases.map(\.rawValue))
        case "placement": .words(VMGroupSpec.Placement.allCases.map(\.rawValue))
        case "apart": .words(VMGroupSpec.Separation.allCases.map(\.rawValue))
        case "role": .words(Role.allCases.map(\.rawValue).filter { $0 != Role.agentSession.rawValue })
        case "file", "token-file", "ca", "secret-file", "trace": .files
        default: .words([])
        }
    }

    private func positional(
        of command: CommandOutline, path: [String], before: [String]
    ) -> CompletionCandidates {
        let all = command.positionals
        guard let argument = before.count < all.count ? all[before.count] : all.last,
            before.count < all.count || argument.isRepeating
        else { return .words([]) }
        switch (path.first, argument.valueName) {
        case ("get", "kind"): return .words(Kind.readableNames)
        case ("why", "kind"): return .words(WhyCommand.kinds.map(\.singular))
        case (_, "kind"), ("explain", _): return .words(Kind.documentNames)
        case ("top", _): return .words(TopCommand.Subject.allCases.map(\.rawValue))
        case ("completion", _): return .words(CompletionCommand.shells)
        case ("context", "name") where path.last != "set": return .contexts
        case ("policy", "name"), ("policy", "names"): return .names(.policy, project: nil)
        case ("model", "name"), ("model", "names"): return .names(.model, project: nil)
        case ("model", "file"): return .files
        case ("host", "name"): return .names(.host, project: nil)
        case ("vmgroup", "name") where path.last == "scale": return .names(.vmGroup, project: project)
        case (_, "name"), (_, "names"):
            guard let kind = before.first.flatMap(Kind.init(named:)), kind.isDocument else {
                return .words([])
            }
            return .names(kind, project: project)
        default: return .words([])
        }
    }

    /// `-p NAME` or `--project=NAME` among the words.
    private var project: String? {
        for (word, next) in zip(words, words.dropFirst()) where word == "-p" || word == "--project" {
            return next
        }
        return words.first { $0.hasPrefix("--project=") }.map { String($0.dropFirst("--project=".count)) }
    }
}
