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
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        // No question is asked: a flag that was typed is a decision, a key that was pressed may be none.
        guard confirm else {
            throw CommandFailure(
                "fencing restarts what ran on \(verb.name) elsewhere; make sure it is off and give --confirm",
                status: .refused)
        }
        let answer = try await connection.connected(surroundings) { client, _ in
            try await client.fence(host: verb.name, reason: verb.reason)
        }
        let presentation = Presentation(
            [.lines(["host/\(verb.name) fenced"])], names: ["host/\(verb.name)"], value: answer)
        output.show(presentation, surroundings)
        return .done
    }
}
