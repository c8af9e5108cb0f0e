internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct DeleteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes documents by name, or those of a file.")

    @Argument(help: "cell, pool, host, flavor, policy, project or vm.") var kind: String?
    @Argument var names: [String] = []
    @OptionGroup var files: FileOptions
    @OptionGroup var projectOption: ProjectOption
    @Flag(help: "Only show what would happen.") var dryRun = false
    @Flag(help: "Return when the documents are gone.") var wait = false
    @Option(help: "Longest --wait for each document, such as 5m.") var timeout = "5m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if files.file.isEmpty, kind == nil || names.isEmpty {
            throw ValidationError("delete what? give KIND NAME or -f FILE")
        }
        if !files.file.isEmpty, kind != nil { throw ValidationError("give KIND NAME or -f FILE, not both") }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let timeout = try DurationText.parse(timeout)
        let drafts = try targets(surroundings)
        return try await connection.connected(surroundings) { client, connection in
            let applier = DocumentApplier(
                client: client, connection: connection, projectOption: projectOption)
            return try await DocumentLoop.run(drafts, output, surroundings) { source in
                let collection = try applier.collection(of: source)
                let name = source.draft.metadata.name
                let left = try await client.delete(name, in: collection, dryRun: dryRun)
                if dryRun { return DocumentOutcome(source, "deleted (dry run)") }
                guard left != nil, wait else {
                    return DocumentOutcome(source, left == nil ? "deleted" : "deleting")
                }
                let waiter = ConditionWaiter(client: client, collection: collection, name: name)
                try await waiter.wait(for: .deleted, timeout: timeout, surroundings)
                return DocumentOutcome(source, "deleted")
            }
        }
    }

    /// Those of a file are deleted from its end: what was applied last depends on what came before.
    private func targets(_ surroundings: Surroundings) throws -> [SourcedDraft] {
        guard let kind else { return try files.drafts(surroundings).reversed() }
        let parsed = try Kind.document(kind)
        return names.map { name in
            SourcedDraft(
                kind: parsed,
                draft: WireDraft(kind: parsed.rawValue, metadata: .init(name: name), spec: .object([:])),
                place: "delete")
        }
    }
}
