internal import APITypes
internal import ArgumentParser
internal import Client

struct DiffCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what apply would change.",
        discussion: "Exits with 0 when nothing would change and with 2 when something would.")

    @OptionGroup var files: FileOptions
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try files.requireOne() }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let drafts = try files.drafts(surroundings)
        return try await connection.connected(surroundings) { client, connection in
            let applier = DocumentApplier(
                client: client, connection: connection, projectOption: projectOption)
            var changed = false
            let status = try await DocumentLoop.run(drafts, output, surroundings) { source in
                let collection = try applier.collection(of: source)
                let current = try await client.find(source.draft.metadata.name, in: collection)
                let draft = current.map(source.draft.completed) ?? source.draft
                let difference = DocumentDifference(from: current, to: draft)
                guard current == nil || !difference.isEmpty else { return nil }
                changed = true
                return DocumentOutcome(
                    source, current == nil ? "would be created" : "would change",
                    notes: difference.text.map { "  " + $0 })
            }
            return status == .done && changed ? .changesPresent : status
        }
    }
}
