internal import ArgumentParser
internal import Client

struct HostRepairCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Empties a host and keeps it out of service until it is mended.",
        discussion: """
            The controllers do so by themselves when a device needs a restart or a repair of its host. See \
            the condition Repair of basalt describe host, and basalt host repaired.
            """)

    @OptionGroup var edit: HostEditOptions
    @Flag(help: "Do not ask.") var yes = false

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try Confirmation.ask(
            "Move every workload off host \(edit.verb.name) to mend it?", yes: yes || edit.dryRun,
            flag: "--yes", surroundings)
        return try await edit.perform(.repair, in: surroundings)
    }
}

struct HostRepairedCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "repaired", abstract: "Says that a host was mended.",
        discussion: """
            It takes workloads again once its agent has found no defect for a while. To take it back in \
            spite of its devices, uncordon it.
            """)

    @OptionGroup var edit: HostEditOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.perform(.repaired, in: surroundings)
    }
}
