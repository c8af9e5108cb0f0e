internal import APITypes
internal import ArgumentParser
internal import Client

struct ContextGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context", abstract: "Switches between control planes.",
        subcommands: [
            ContextListCommand.self, ContextUseCommand.self, ContextShowCommand.self, ContextSetCommand.self,
            ContextDeleteCommand.self,
        ])
}

struct ContextListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the contexts.")

    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let file = try ContextFile.load(surroundings)
        let table = Table(
            [.init("NAME"), .init("CURRENT"), .init("SERVER", minimum: 20), .init("PROJECT")],
            file.contexts.map {
                [
                    Text($0.name), Text($0.name == file.current ? "yes" : "-"), Text($0.server),
                    Text(optional: $0.project),
                ]
            })
        let presentation = Presentation(
            [.table(table)], names: file.contexts.map { "context/\($0.name)" },
            value: .object(["items": try Serialization.tree(file.contexts)]))
        output.show(presentation, surroundings)
        return .done
    }
}

struct ContextUseCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Makes a context the current one.")

    @Argument var name: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var file = try ContextFile.load(surroundings)
        guard let context = try file.context(named: name) else {
            throw CommandFailure("no context \"\(name)\"")
        }
        file.set(context)
        try file.save()
        surroundings.console.write("context/\(name) is current\n")
        return .done
    }
}

struct ContextSetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Makes a context or changes one, without asking the control plane.",
        discussion: "What is not given stays as it is; an empty value takes it away.")

    @Argument var name: String
    @Option(help: "Controllers, separated by commas: https://a:7443,https://b:7443.") var server: String?
    @Option(help: "File that holds the bearer token.", completion: .file()) var tokenFile: String?
    @Option(help: "PEM file with the certificates to trust.", completion: .file()) var ca: String?
    @Option(name: .shortAndLong, help: "Project of commands that name none.") var project: String?

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var file = try ContextFile.load(surroundings)
        let known = file.contexts.first { $0.name == name }
        guard let server = server ?? known?.server else {
            throw CommandFailure("context \"\(name)\" is new: give --server")
        }
        _ = try ServerAddress.list(server)
        file.put(
            Context(
                name: name, server: server,
                tokenFile: Self.next(tokenFile, known?.tokenFile).map(LoginCommand.absolute),
                ca: Self.next(ca, known?.ca).map(LoginCommand.absolute),
                project: Self.next(project, known?.project)))
        try file.save()
        surroundings.console.write("context/\(name) \(known == nil ? "created" : "configured")\n")
        return .done
    }

    private static func next(_ given: String?, _ known: String?) -> String? {
        guard let given else { return known }
        return given.isEmpty ? nil : given
    }
}

struct ContextDeleteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forgets a context; its token file stays.")

    @Argument var name: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var file = try ContextFile.load(surroundings)
        guard try file.context(named: name) != nil else { throw CommandFailure("no context \"\(name)\"") }
        file.remove(name)
        try file.save()
        surroundings.console.write("context/\(name) deleted\n")
        return .done
    }
}

struct ContextShowCommand: BasaltCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows one context.")

    @Argument(help: "The current one when absent.") var name: String?
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let file = try ContextFile.load(surroundings)
        guard let context = try file.context(named: name) else {
            throw CommandFailure("no context is current; make one with basalt login")
        }
        let fields: [Presentation.Field] = [
            .init("Name", Text(context.name)), .init("Server", Text(context.server)),
            .init("Token file", Text(optional: context.tokenFile)), .init("CA", Text(optional: context.ca)),
            .init("Project", Text(optional: context.project)),
        ]
        let presentation = Presentation(
            [.fields(fields)], names: ["context/\(context.name)"], value: try Serialization.tree(context))
        output.show(presentation, surroundings)
        return .done
    }
}
