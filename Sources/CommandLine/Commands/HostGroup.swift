internal import ArgumentParser

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
