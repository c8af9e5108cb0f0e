internal import ArgumentParser
internal import Client
internal import Fleet

struct HostDrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Moves or stops what runs on a host until it is empty.",
        discussion: "The operation goes on without this program; see basalt get operations.")

    @OptionGroup var verb: HostVerbOptions
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Return when the host is empty.") var wait = false
    @Option(help: "Longest --wait, such as 30m.") var timeout = "30m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let timeout = try DurationText.parse(timeout)
        try Confirmation.ask(
            "Stop or move every workload of host \(verb.name)?", yes: yes, flag: "--yes", surroundings)
        return try await connection.connected(surroundings) { client, _ in
            var operation = try await client.drain(host: verb.name, reason: verb.reason)
            if wait {
                let follower = OperationFollower(client: client, surroundings: surroundings)
                operation = try await follower.follow(operation, timeout: timeout)
            }
            let tables = RecordTables(now: surroundings.now())
            output.show(try tables.operation(operation), surroundings)
            return operation.state == .failed || operation.state == .cancelled ? .failed : .done
        }
    }
}
