internal import ArgumentParser
internal import Client

struct TopCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Shows how full each cell is.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let summary = try await connection.connected(surroundings) { client, _ in try await client.cluster() }
        output.show(try ClusterTables(summary: summary).top, surroundings)
        return .done
    }
}
