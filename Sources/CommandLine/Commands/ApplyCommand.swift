internal import ArgumentParser
internal import Client
internal import Fleet

/// `-f`, for commands that read documents.
struct FileOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: "YAML file, - for standard input; may be repeated.", completion: .file())
    var file: [String] = []

    func drafts(_ surroundings: Surroundings) throws -> [SourcedDraft] {
        try file.flatMap { path in
            let source = try DocumentFile.text(at: path, surroundings)
            return try DocumentFile.drafts(source.text, name: source.name)
        }
    }

    func requireOne() throws {
        if file.isEmpty { throw ValidationError("which documents? give -f FILE") }
    }
}

struct ApplyCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Creates or replaces the documents of a file.")

    @OptionGroup var files: FileOptions
    @OptionGroup var projectOption: ProjectOption
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try files.requireOne() }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        // Everything is read before anything is written.
        let drafts = try files.drafts(surroundings)
        return try await connection.connected(surroundings) { client, connection in
            let applier = DocumentApplier(
                client: client, connection: connection, projectOption: projectOption)
            return try await DocumentLoop.run(drafts, surroundings) { source in
                guard dryRun else {
                    return ["\(source.reference) \(try await applier.apply(source).rawValue)"]
                }
                let (outcome, explanation) = try await applier.dryRun(source)
                return ["\(source.reference) \(outcome.rawValue) (dry run)"]
                    + (explanation.map { PlacementLines(explanation: $0).lines } ?? [])
            }
        }
    }
}

/// Does one thing to each of many documents: a refused one does not keep the others from their turn.
enum DocumentLoop {
    /// - Parameter body: gives the lines to show for one document.
    /// - Returns: the status of the first failure.
    static func run(
        _ drafts: [SourcedDraft], _ surroundings: Surroundings,
        _ body: (SourcedDraft) async throws -> [String]
    ) async throws -> ExitStatus {
        var status = ExitStatus.done
        for source in drafts {
            do {
                for line in try await body(source) {
                    surroundings.console.write(Printable.clean(line) + "\n")
                }
            } catch let error as ClientError {
                let failure = CommandFailure(error, about: "\(source.place): \(source.reference)")
                // Without a server the rest would only fail more slowly.
                if error.problem == nil { throw failure }
                for line in failure.lines { surroundings.console.writeError(Printable.clean(line) + "\n") }
                if status == .done { status = failure.status }
            }
        }
        return status
    }
}
