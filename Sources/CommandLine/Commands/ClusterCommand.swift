internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct ClusterCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Shows the control plane: epoch, clocks, controllers and cells.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let summary = try await connection.connected(surroundings) { client, _ in try await client.cluster() }
        output.show(try ClusterTables(summary: summary).cluster, surroundings)
        return .done
    }
}
