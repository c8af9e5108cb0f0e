internal import ArgumentParser
internal import Client
internal import Fleet

struct HostGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Takes hosts out of service and back.",
        subcommands: [
            HostCordonCommand.self, HostUncordonCommand.self, HostDrainCommand.self, HostUndrainCommand.self,
            HostPreemptCommand.self, HostFenceCommand.self, HostRepairCommand.self,
            HostRepairedCommand.self, HostImpactCommand.self,
            HostBreakerGroup.self,
        ])
}

/// What the verbs of hosts have in common.
struct HostVerbOptions: ParsableArguments {
    @Argument var name: String
    @Option(help: "Why, for whoever finds the host so.") var reason: String

    func validate() throws {
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason must say why") }
    }
}

/// What verbs share that edit a host's spec and show the host.
struct HostEditOptions: ParsableArguments {
    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(_ edit: HostEdit, in surroundings: Surroundings) async throws -> ExitStatus {
        let host = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRun(edit, host: verb.name, reason: verb.reason).document
                : try await client.perform(edit, host: verb.name, reason: verb.reason)
        }
        let table = DocumentTable(kind: .host, now: surroundings.now())
        output.show(table.presentation(of: host), surroundings)
        return .done
    }
}
