internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct CompletionCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Writes a completion script for a shell.")

    static let shells = ["bash", "zsh", "fish"]

    @Argument(help: "bash, zsh or fish.") var shell: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard let script = CompletionScript.text(shell) else {
            throw CommandFailure(NearestChoice.refusal("shell", shell, among: Self.shells))
        }
        surroundings.console.write(script)
        return .done
    }
}

/// What the scripts ask: the candidates for the last of the words, one a line. Never an error, which would
/// end up in the middle of what is being typed.
struct CompleteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "Answers a shell.", shouldDisplay: false)

    @Argument(parsing: .postTerminator) var words: [String] = []

    /// Longest wait for names: a person sits before the cursor.
    private static let patience = Duration.seconds(2)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let request = CompletionRequest(outline: try CommandOutline.basalt(), words: words)
        let found: [String]
        switch request.candidates {
        case .words(let words): found = words
        case .files:
            surroundings.console.write(CompletionScript.files + "\n")
            return .done
        case .contexts: found = try ContextFile.load(surroundings).contexts.map(\.name)
        case .names(let kind, let project): found = await names(kind, project, surroundings)
        }
        for word in found where word.hasPrefix(request.prefix) {
            surroundings.console.write(Printable.clean(word) + "\n")
        }
        return .done
    }

    /// None when the control plane does not answer in time.
    private func names(_ kind: Kind, _ project: String?, _ surroundings: Surroundings) async -> [String] {
        let sleep = surroundings.seams.sleep
        return await withTaskGroup(of: [String]?.self) { group in
            group.addTask {
                // why: a tab has nowhere to say what is wrong
                try? await Self.read(kind, project, words: words, surroundings)
            }
            group.addTask {
                try? await sleep(Self.patience)  // why: cancelled means that the names came
                return nil
            }
            let first = await group.next().flatMap { $0 }
            group.cancelAll()
            return first ?? []
        }
    }

    private static func read(
        _ kind: Kind, _ project: String?, words: [String], _ surroundings: Surroundings
    ) async throws -> [String] {
        var options = try ConnectionOptions.parse([])
        for (word, next) in zip(words, words.dropFirst()) where word == "--context" { options.context = next }
        return try await options.connected(surroundings, retry: .singleRound) { client, connection in
            let chosen = project ?? connection.project
            let collection = Collection(kind, project: kind.isTenant ? chosen : nil)
            return try await client.listAll(collection).items.map(\.metadata.name)
        }
    }
}
