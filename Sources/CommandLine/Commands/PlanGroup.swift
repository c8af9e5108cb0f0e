internal import ArgumentParser
internal import Client
internal import Fleet

struct PlanGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what the controllers would do, and what workloads would run as.",
        subcommands: [
            PlanDefragCommand.self, PlanMixCommand.self, PlanServingCommand.self, PlanTrainingCommand.self,
        ])
}

struct PlanDefragCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "defrag",
        abstract: "Shows which hosts of a pool would be emptied so that more of them are whole.",
        discussion: "The pool's spec.defragmentation says whether and when it is done.")

    @Option(help: "Pool of the hosts.") var pool: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let preview = try await connection.connected(surroundings) { client, _ in
            try await client.defragmentation(pool: pool)
        }
        output.show(try DefragmentationTable(preview: preview).presentation, surroundings)
        return preview.hosts.isEmpty ? .done : .changesPresent
    }
}
