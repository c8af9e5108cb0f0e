internal import ArgumentParser
internal import Client
internal import Fleet

struct HostUndrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Takes a drain back.",
        discussion:
            "What has moved stays where it is; the rest goes on here. A host that was cordoned stays so.")

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let host = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRun(.undrain, host: verb.name, reason: verb.reason).document
                : try await client.undrain(host: verb.name, reason: verb.reason)
        }
        let table = DocumentTable(kind: .host, now: surroundings.now())
        output.show(table.presentation(of: host), surroundings)
        return .done
    }
}
