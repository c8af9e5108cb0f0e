internal import ArgumentParser
internal import Client
internal import Fleet

struct OperationGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "Ends slow verbs.", subcommands: [OperationCancelCommand.self])
}

struct OperationCancelCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Asks an operation to stop where it is.")

    @Argument(help: "Id, as basalt get operations shows it.") var id: String
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard let id = ID<OperationRecord>(id) else {
            throw CommandFailure("\"\(id)\" is no id of an operation")
        }
        let operation = try await connection.connected(surroundings) { client, _ in
            try await client.cancelOperation(id, dryRun: dryRun)
        }
        let tables = RecordTables(now: surroundings.now())
        output.show(try tables.operation(operation), surroundings)
        return .done
    }
}
