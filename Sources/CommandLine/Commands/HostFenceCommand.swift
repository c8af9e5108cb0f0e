internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct HostFenceCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "fence", abstract: "Declares that nothing runs on a host that lost contact.",
        discussion: """
            Its workloads are started elsewhere. When one of them still runs on the host, two copies of it \
            write: switch the machine off first.
            """)

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "You have made sure that nothing runs on the host.") var confirm = false
    @Flag(help: "Only show how much would be released.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        // No question is asked: a flag that was typed is a decision, a key that was pressed may be none.
        guard confirm || dryRun else {
            throw CommandFailure(
                "fencing restarts what ran on \(verb.name) elsewhere; make sure it is off and give --confirm",
                status: .refused)
        }
        let answer = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRunFence(host: verb.name, reason: verb.reason)
                : try await client.fence(host: verb.name, reason: verb.reason)
        }
        let count = answer["released"]?.array?.count ?? 0
        let line = dryRun ? "fenced, \(count) allocations released (dry run)" : "fenced"
        let presentation = Presentation(
            [.lines(["host/\(verb.name) \(line)"])], names: ["host/\(verb.name)"], value: answer)
        output.show(presentation, surroundings)
        return .done
    }
}
