internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct HostImpactCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "impact", abstract: "Shows whom the last incident of a host hit, and what was done.")

    @Argument(help: "Name of the host.") var name: String
    @Option(help: "All that was the matter since then, such as 2026-06-01T08:00:00Z.") var since: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let start = try since.map { text in
            guard let time = Timestamp(text) else {
                throw CommandFailure("--since \"\(text)\" is no time; write it such as 2026-06-01T08:00:00Z")
            }
            return time
        }
        let report = try await connection.connected(surroundings) { client, _ in
            try await client.impact(host: name, since: start)
        }
        output.show(try ImpactTable(report: report, now: surroundings.now()).presentation, surroundings)
        return .done
    }
}

struct FaultImpactCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "impact", abstract: "Shows whom an injected fault hit, and what was done.")

    @OptionGroup var fault: FaultNameOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let report = try await fault.connection.connected(surroundings) { client, _ in
            try await client.impact(fault: fault.name)
        }
        fault.output.show(try ImpactTable(report: report, now: surroundings.now()).presentation, surroundings)
        return .done
    }
}
