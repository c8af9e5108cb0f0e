internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct HostPreemptCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "preempt", abstract: "Tells that a host will be taken away.",
        discussion: """
            What runs there leaves until then, also outside of maintenance windows: replicas get no more \
            requests and end those that they have, VMs move. What is left stops. basalt host undrain takes it \
            back.
            """)

    @OptionGroup var verb: HostVerbOptions
    @Option(help: "When, fleet time, such as 2026-06-01T08:00:00Z.") var at: String?
    @Option(name: .customLong("in"), help: "As --at, from now, such as 2m.") var within: String?
    @Flag(help: "Only show what would move where, and what would not.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let notice = try notice()
        if dryRun {
            let preview = try await connection.connected(surroundings) { client, _ in
                try await client.dryRunPreempt(host: verb.name, notice)
            }
            output.show(try DrainTable(preview: preview).presentation, surroundings)
            return .done
        }
        let operation = try await connection.connected(surroundings) { client, _ in
            try await client.preempt(host: verb.name, notice)
        }
        output.show(try RecordTables(now: surroundings.now()).operation(operation), surroundings)
        return .done
    }

    private func notice() throws -> PreemptionNotice {
        guard (at == nil) != (within == nil) else { throw CommandFailure("give --at or --in") }
        let time = try at.map { text in
            guard let time = Timestamp(text) else {
                throw CommandFailure("--at \"\(text)\" is no time; write it such as 2026-06-01T08:00:00Z")
            }
            return time
        }
        return PreemptionNotice(
            reason: verb.reason, at: time,
            inSeconds: try within.map { Int(try DurationText.parse($0).components.seconds) })
    }
}
