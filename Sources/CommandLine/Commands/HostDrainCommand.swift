internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct HostDrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Moves or stops what runs on a host until it is empty.",
        discussion: "The operation goes on without this program; see basalt get operations.")

    @OptionGroup var verb: HostVerbOptions
    @Option(help: "When it has to be over, from now, such as 1h.") var deadline: String?
    @Option(help: "At the deadline: wait, or stop what is left.") var atDeadline: String?
    @Option(
        help: "When the host has to be empty, fleet time; until moving takes all there is left, VMs may end.")
    var due: String?
    @Option(help: "As --due, from now, such as 6h.") var within: String?
    @Option(help: "Workloads of the host that are disrupted at once.") var maxParallel: Int?
    @Flag(help: "Also outside of maintenance windows.") var force = false
    @Flag(help: "Only show what would move where, and what would not.") var dryRun = false
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Return when the host is empty.") var wait = false
    @Flag(help: "As --wait, and tell what happens.") var monitor = false
    @Option(help: "Longest --wait, such as 30m.") var timeout = "30m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let timeout = try DurationText.parse(timeout)
        let request = try request()
        if dryRun { return try await preview(request, surroundings) }
        try Confirmation.ask(
            "Stop or move every workload of host \(verb.name)?", yes: yes, flag: "--yes", surroundings)
        return try await connection.connected(surroundings) { client, _ in
            var operation = try await client.drain(host: verb.name, request)
            if wait || monitor {
                let follower = OperationFollower(
                    client: client, surroundings: surroundings, tellsMessages: monitor)
                operation = try await follower.follow(operation, timeout: timeout)
            }
            let tables = RecordTables(now: surroundings.now())
            output.show(try tables.operation(operation), surroundings)
            return operation.state == .failed || operation.state == .cancelled ? .failed : .done
        }
    }

    private func request() throws -> HostVerbRequest {
        var end: DrainSpec.AtDeadline?
        if let atDeadline {
            end = DrainSpec.AtDeadline(rawValue: atDeadline)
            guard end != nil else {
                let choices = DrainSpec.AtDeadline.allCases.map(\.rawValue)
                throw CommandFailure(NearestChoice.refusal("end of a deadline", atDeadline, among: choices))
            }
        }
        if due != nil, within != nil { throw CommandFailure("give --due or --within, not both") }
        let time = try due.map { text in
            guard let time = Timestamp(text) else {
                throw CommandFailure("--due \"\(text)\" is no time; write it such as 2026-06-01T08:00:00Z")
            }
            return time
        }
        return HostVerbRequest(
            reason: verb.reason,
            deadlineSeconds: try deadline.map { Int(try DurationText.parse($0).components.seconds) },
            atDeadline: end, maxParallel: maxParallel, force: force ? true : nil, due: time,
            dueSeconds: try within.map { Int(try DurationText.parse($0).components.seconds) })
    }

    private func preview(_ request: HostVerbRequest, _ surroundings: Surroundings) async throws -> ExitStatus
    {
        let preview = try await connection.connected(surroundings) { client, _ in
            try await client.dryRunDrain(host: verb.name, request)
        }
        output.show(try DrainTable(preview: preview).presentation, surroundings)
        return .done
    }
}
