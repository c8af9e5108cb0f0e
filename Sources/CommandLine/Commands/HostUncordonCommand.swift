internal import ArgumentParser
internal import Client
internal import Fleet

struct HostUncordonCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "uncordon", abstract: "Takes workloads again.")

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let host = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRun(.uncordon, host: verb.name, reason: verb.reason).document
                : try await client.uncordon(host: verb.name, reason: verb.reason)
        }
        let table = DocumentTable(kind: .host, now: surroundings.now())
        output.show(table.presentation(of: host), surroundings)
        return .done
    }
}
