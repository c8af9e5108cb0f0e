internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Replay

struct ReplayGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Drives a live control plane with traces.",
        subcommands: [ReplayVMsCommand.self])
}

struct ReplayVMsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "vms", abstract: "Creates and deletes the VMs of a trace at their times.",
        discussion: """
            Times are those of the fleet clock. Controllers may be killed meanwhile: requests are \
            repeated at another one, and none counts twice. With the same --run a stopped replay begins \
            again and takes what it finds for done.
            """)

    @OptionGroup var traceOptions: TraceOptions
    @OptionGroup var projectOption: ProjectOption
    @Option(help: "Fleet seconds per second; that of the control plane when absent.") var rate: Double?
    @Option(help: "The first VMs of the trace only, by arrival.") var limit: Int?
    @Option(help: "Requests under way at once, at most 1024.") var concurrency = 32
    @Option(help: "Id of the run, a part of VM names; new when absent.") var run: String?
    @Option(help: "Cell of the VMs; chosen by the control plane when absent.") var cell: String?
    @Option(help: "Pool of the VMs.") var pool: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (1...1024).contains(concurrency) else {
            throw ValidationError("--concurrency must be between 1 and 1024")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
        if let rate, !(rate > 0 && rate <= 1e6) {
            throw ValidationError("--rate must be above 0 and at most 1000000")
        }
        // VM names hold the id, so the rule for names applies to it.
        if let run, let defect = Name.defect(in: run) ?? (run.count > 32 ? "is longer than 32" : nil) {
            throw ValidationError("--run \"\(run)\" \(defect)")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let run = run ?? Self.newRun(surroundings)
        let schedule = ReplaySchedule(try trace, prefix: "replay-\(run)")
        var limits = ClientLimits.standard
        limits.connections = concurrency + 1
        var progress = ProgressLine(surroundings)
        let summary = try await connection.connected(surroundings, retry: .persistent, limits: limits) {
            client, connection in
            let project = try projectOption.name(connection)
            guard try await client.find(project, in: Collection(.project)) != nil else {
                throw CommandFailure("no project \"\(project)\"; make it with basalt apply")
            }
            let driver = ReplayDriver(
                client,
                options: .init(
                    run: run, project: project, cell: cell, pool: pool, rate: rate, concurrency: concurrency),
                seams: surroundings.seams, uptime: surroundings.uptime)
            return try await driver.run(schedule) { state in
                let fraction =
                    state.total == 0 ? 1 : Double(state.created + state.errors) / Double(state.total)
                progress.show(state.line, fraction: fraction)
            }
        }
        progress.end()
        output.show(try Self.presentation(of: summary), surroundings)
        if summary.interrupted { return .interrupted }
        return summary.errors == 0 ? .done : .failed
    }

    /// The first VMs by arrival, in the order of their rows.
    private var trace: VMTrace {
        get throws {
            var trace = try traceOptions.read()
            guard let limit, limit < trace.vms.count else { return trace }
            let order = trace.vms.indices.sorted {
                (trace.vms[$0].arrival, $0) < (trace.vms[$1].arrival, $1)
            }
            trace.vms = order.prefix(limit).sorted().map { trace.vms[$0] }
            return trace
        }
    }

    /// Eight hexadecimal digits, from the random end of a new id.
    private static func newRun(_ surroundings: Surroundings) -> String {
        String(surroundings.seams.ids.next().uuidString.lowercased().suffix(8))
    }

    static func presentation(of summary: ReplaySummary) throws -> Presentation {
        var fields: [Presentation.Field] = [
            .init("Run", Text(summary.run)), .init("Created", Text(String(summary.created))),
            .init("Deleted", Text(String(summary.deleted))),
            .init("Errors", Text(String(summary.errors), summary.errors > 0 ? .bad : .good)),
            .init("Skipped", Text(String(summary.skipped))), .init("Retried", Text(String(summary.retried))),
            .init("Latency p50", Text("\(summary.latencyP50Ms) ms")),
            .init("Latency p99", Text("\(summary.latencyP99Ms) ms")),
            .init("Took", Text(DurationText.short(.seconds(summary.seconds)))),
            .init("Behind", Text(DurationText.short(.seconds(summary.lagSeconds)) + " of fleet time")),
            .init("Running", Text(optional: summary.running.map(String.init))),
            .init("Pending", Text(optional: summary.pending.map(String.init))),
        ]
        if summary.interrupted { fields.append(.init("Stopped", Text("before the end", .warning))) }
        var blocks = [Presentation.Block.fields(fields)]
        if !summary.samples.isEmpty { blocks += [.heading("First errors"), .lines(summary.samples)] }
        return Presentation(blocks, names: [summary.run], value: try Serialization.tree(summary))
    }
}
