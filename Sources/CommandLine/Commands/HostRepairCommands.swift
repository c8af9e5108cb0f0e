internal import ArgumentParser
internal import Client
internal import Fleet

struct HostRepairCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Empties a host and keeps it out of service until it is mended.",
        discussion: """
            The controllers do so by themselves when a device needs a restart or a repair of its host. See \
            the condition Repair of basalt describe host, and basalt host repaired.
            """)

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try Confirmation.ask(
            "Move every workload off host \(verb.name) to mend it?", yes: yes || dryRun, flag: "--yes",
            surroundings)
        let host = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRun(.repair, host: verb.name, reason: verb.reason).document
                : try await client.repair(host: verb.name, reason: verb.reason)
        }
        let table = DocumentTable(kind: .host, now: surroundings.now())
        output.show(table.presentation(of: host), surroundings)
        return .done
    }
}

struct HostRepairedCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "repaired", abstract: "Says that a host was mended.",
        discussion: """
            It takes workloads again once its agent has found no defect for a while. To take it back in \
            spite of its devices, uncordon it.
            """)

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let host = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRun(.repaired, host: verb.name, reason: verb.reason).document
                : try await client.repaired(host: verb.name, reason: verb.reason)
        }
        let table = DocumentTable(kind: .host, now: surroundings.now())
        output.show(table.presentation(of: host), surroundings)
        return .done
    }
}
