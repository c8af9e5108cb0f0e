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
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try files.requireOne() }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        // Everything is read before anything is written.
        let drafts = try files.drafts(surroundings)
        return try await connection.connected(surroundings) { client, connection in
            let applier = DocumentApplier(
                client: client, connection: connection, projectOption: projectOption)
            return try await DocumentLoop.run(drafts, output, surroundings) { source in
                guard dryRun else {
                    return DocumentOutcome(source, try await applier.apply(source).rawValue)
                }
                let (outcome, explanation) = try await applier.dryRun(source)
                return DocumentOutcome(
                    source, "\(outcome.rawValue) (dry run)",
                    notes: explanation.map { PlacementLines(explanation: $0).lines } ?? [])
            }
        }
    }
}
