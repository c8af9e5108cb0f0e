internal import APITypes
internal import Client
internal import Fleet
internal import Foundation
internal import Replay
internal import Synchronization

extension Demo {
    /// The session whose agent is killed.
    private static let victim = "a-edge"

    /// Replays the trace, kills a controller and an agent half-way, and takes stock.
    func perform(_ stage: DemoStage, _ children: inout Children) async throws -> DemoSummary {
        let began = surroundings.now()
        let watch = ReplayWatch()
        say(
            "replaying \(trace.vms.count) VMs in \(Int(options.seconds)) s, fleet time running \(Int(rate)) times faster"
        )
        let (replay, kills) = try await withThrowingTaskGroup(of: ReplaySummary.self) { group in
            group.addTask { try await self.replay(stage, watch) }
            try await wait("half of the trace", for: .seconds(options.seconds * 4)) {
                watch.isHalfWay
            }
            let kills = try await kill(stage, &children)
            guard let summary = try await group.next() else {
                throw CommandFailure("the replay has no summary")
            }
            return (summary, kills)
        }
        return try await connected(stage) { client in
            let expected = replay.created - replay.deleted + DemoFleet.gpuVMs
            try await settle(client, running: expected)
            return try await takeStock(client, replay: replay, kills: kills, began: began, running: expected)
        }
    }

    private func replay(_ stage: DemoStage, _ watch: ReplayWatch) async throws -> ReplaySummary {
        guard var configuration = stage.configuration else { throw CommandFailure("no controller runs") }
        configuration.limits.connections = Self.concurrency + 1
        let line = Mutex(ProgressLine(surroundings))
        let summary = try await RESTClient.with(configuration, seams: surroundings.seams) { client in
            let driver = ReplayDriver(
                client,
                options: .init(
                    run: "demo", project: DemoFleet.project, rate: rate, concurrency: Self.concurrency),
                seams: surroundings.seams, uptime: surroundings.uptime)
            return try await driver.run(schedule) { state in
                watch.state.withLock { $0 = state }
                let fraction = Double(state.created + state.errors) / Double(max(1, state.total))
                line.withLock { $0.show(state.line, fraction: fraction) }
            }
        }
        line.withLock { $0.end() }
        return summary
    }

    /// Requests under way at once.
    private static let concurrency = 32

    // MARK: Faults

    /// Kills the controller that holds most cells, and one agent; watches until each is noticed and mended.
    private func kill(_ stage: DemoStage, _ children: inout Children) async throws -> [DemoSummary.Kill] {
        try await connected(stage) { client in
            let held = Dictionary(grouping: try await client.cluster().controllers, by: \.holder)
            guard let busiest = held.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) })?.key,
                let name = busiest.split(separator: "-").first.map(String.init),
                let controller = stage.running(name),
                let agent = stage.running("agent-\(Self.victim)")
            else { throw CommandFailure("the victims do not run") }
            var controllerKill = DemoSummary.Kill(
                what: "controller \(name)", processID: Int(controller.processID ?? 0),
                sign: "its cells had another holder")
            var agentKill = DemoSummary.Kill(
                what: "agent \(Self.victim)", processID: Int(agent.processID ?? 0),
                sign: "its hosts were suspect")
            let cells = held[busiest]?.count ?? 0
            let killed = surroundings.uptime()
            controller.kill()
            agent.kill()
            say(
                "killed controller \(name), which held \(cells) leases, and agent \(Self.victim) with \(victimHosts) hosts"
            )
            try await wait("another controller to take over") {
                let now = try await client.cluster().controllers
                return !now.contains { $0.holder == busiest }
                    && now.count == held.values.reduce(0) { $0 + $1.count }
            }
            controllerKill.noticedAfterSeconds = (surroundings.uptime() - killed).inSeconds
            controllerKill.recoveredAfterSeconds = controllerKill.noticedAfterSeconds
            say("the other controller took over after \(Self.rounded(controllerKill.noticedAfterSeconds)) s")
            launch(self.controller(name, data: options.directory + "/data"), stage, &children)

            try await wait("the silent hosts to be suspect") {
                try await readyHosts(client) <= fleet.hosts - victimHosts
            }
            agentKill.noticedAfterSeconds = (surroundings.uptime() - killed).inSeconds
            say(
                "\(victimHosts) hosts suspect after \(Self.rounded(agentKill.noticedAfterSeconds)) s; the agent starts again"
            )
            if let session = fleet.sessions.first(where: { $0.name == Self.victim }) {
                launch(self.agent(session, stage), stage, &children)
            }
            try await wait("the hosts to return") { try await readyHosts(client) == fleet.hosts }
            agentKill.recoveredAfterSeconds = (surroundings.uptime() - killed).inSeconds
            return [controllerKill, agentKill]
        }
    }

    private var victimHosts: Int { fleet.sessions.first { $0.name == Self.victim }?.hosts ?? 0 }

    private func readyHosts(_ client: RESTClient) async throws -> Int {
        try await client.cluster().cells.reduce(0) { $0 + $1.readyHosts }
    }

    private static func rounded(_ seconds: Double?) -> String {
        seconds.map { String(($0 * 10).rounded() / 10) } ?? "-"
    }

    // MARK: Stock

    /// Waits until nothing is on its way; what does not settle is said by the counts.
    private func settle(_ client: RESTClient, running: Int) async throws {
        let deadline = surroundings.uptime() + Self.patience
        while surroundings.uptime() < deadline {
            let cells = try await client.cluster().cells
            let live = cells.reduce(0) { $0 + $1.allocations }
            if live == running, cells.reduce(0, { $0 + $1.runningVMs }) == running { return }
            try await surroundings.seams.sleep(Self.lookEvery)
        }
    }

    private func takeStock(
        _ client: RESTClient, replay: ReplaySummary, kills: [DemoSummary.Kill], began: Timestamp, running: Int
    ) async throws -> DemoSummary {
        let journals = fleet.sessions.map { options.directory + "/agents/\($0.name)" }
        let check = try await client.check(OperatorCheckCommand.read(journals, at: surroundings.now()))
        let cluster = try await client.cluster()
        var pending: [String: Int] = [:]
        for vm in try await client.listAll(Collection(.vm, project: DemoFleet.project)).items
        where vm.status?["state"]?.string == WorkloadState.pending.rawValue {
            let condition = vm.status?["conditions"]?.array?.first { $0["type"]?.string == "Scheduled" }
            pending[condition?["reason"]?.string ?? "Unknown", default: 0] += 1
        }
        var failures: [String] = []
        func expect(_ what: String, _ actual: Int, _ wanted: Int) {
            if actual != wanted { failures.append("\(what): \(actual) instead of \(wanted)") }
        }
        expect("created VMs", replay.created, trace.vms.count)
        expect("failed requests", replay.errors, 0)
        expect("running VMs", cluster.cells.reduce(0) { $0 + $1.runningVMs }, running)
        expect("allocations", cluster.cells.reduce(0) { $0 + $1.allocations }, running)
        expect("pending VMs", pending.values.reduce(0, +), 0)
        expect("violated invariants", check.violations.count, 0)
        expect("hosts that are ready", cluster.cells.reduce(0) { $0 + $1.readyHosts }, fleet.hosts)
        expect("devices in use", cluster.cells.reduce(0) { $0 + $1.usedDevices }, DemoFleet.gpuVMs * 2)
        failures += check.violations.prefix(10).map {
            "invariant \($0.invariant): \($0.subject): \($0.message)"
        }
        return DemoSummary(
            replay: replay, starts: try await client.starts(since: began), cells: cluster.cells,
            pendingByReason: pending, kills: kills, check: check, failures: failures)
    }

    private func wait(_ what: String, for time: Duration, _ condition: () async throws -> Bool) async throws {
        let deadline = surroundings.uptime() + time
        while try await !condition() {
            guard surroundings.uptime() < deadline else { throw CommandFailure("waited in vain for \(what)") }
            try await surroundings.seams.sleep(Self.lookEvery)
        }
    }
}

/// Where the replay is, for whoever waits for its middle.
private final class ReplayWatch: Sendable {
    let state = Mutex<ReplayProgress?>(nil)

    var isHalfWay: Bool { state.withLock { $0.map { $0.created * 2 >= $0.total } ?? false } }
}
