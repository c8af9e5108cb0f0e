import Control
import Fleet
import Foundation
import Logging
import ProgramShell
import Store

/// Whether placements stall while a pool's policy changes, in a cell of 5,000 hosts and 50,000 running VMs on
/// Postgres: VMs are created at a steady rate, and the policy goes from best fit to NILAS, to LAVA and back.
///
/// Of each change, the seconds after it are compared with as many before it: the longest time from when a VM
/// was due until its allocation is seen, and the longest time in which no allocation was seen.
///
/// Options: `--rounds N` (at least 5) of all changes, `--hosts N`, `--vms-per-host N`, `--creates N` per
/// second, `--seconds S` before and after each change, `--ended N` VMs that lifetimes are learned from.
struct PolicyChangeBenchmark {
    private static let cell = "a"
    private static let policies: [PoolSpec.Placement] = [.nilas, .lava, .bestFit]

    let options: BenchmarkOptions

    private struct Change {
        var policy: PoolSpec.Placement
        var before: PlacementStream.Worst
        var after: PlacementStream.Worst
    }

    func run() async throws {
        let rounds = try options.number("rounds", default: 5, atLeast: 5)
        let hosts = try options.number("hosts", default: 5000, atLeast: 1)
        let perHost = try options.number("vms-per-host", default: 10, atLeast: 1)
        let creates = try options.number("creates", default: 100, atLeast: 1)
        let seconds = try options.number("seconds", default: 4, atLeast: 1)
        let ended = try options.number("ended", default: 5000, atLeast: 0)
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))  rounds \(rounds)")
        let cluster = BenchmarkCluster()
        try await cluster.with { store in
            let fleet = FilledFleet(cells: [Self.cell], hosts: hosts, vmsPerHost: perHost, usePct: 70)
            try await fleet.fill(cluster)
            try await cluster.script(fleet.endedVMs(ended))
            let stream = PlacementStream(cell: Self.cell, perSecond: creates, store: store)
            let found = try await measure(store, stream, rounds: rounds, window: .seconds(seconds))
            print("hosts \(hosts), VMs \(hosts * perHost), \(creates) creates/s")
            report(found)
        }
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))")
    }

    private func measure(
        _ store: PostgresStore, _ stream: PlacementStream, rounds: Int, window: Duration
    ) async throws -> [Change] {
        let watch = LogWatch()
        let logger = Logger(label: "policy-change") { _ in watch }
        let time = Timekeeper(now: SystemSeams.now, sleep: SystemSeams.sleep)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let supervisor = CellSupervisor(
            holder: "bench", store: store, hub: hub, ids: SystemSeams.ids, time: time, limits: CellLimits(),
            logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { await supervisor.run() }
            _ = try await watch.time(from: "lease acquired", to: "cell loaded", cell: Self.cell)
            group.addTask { try await stream.create() }
            group.addTask { try await stream.watch() }
            // Statuses of what the pipeline found are settled before anything is timed.
            try await Task.sleep(for: .seconds(5))
            var found: [Change] = []
            for _ in 0..<rounds {
                for policy in Self.policies {
                    let change = try await self.change(to: policy, store, stream, window: window)
                    found.append(change)
                    print(
                        "to \(policy.rawValue): due to allocated \(Int(change.before.latency)) ms before,",
                        "\(Int(change.after.latency)) ms after; gap \(Int(change.before.gap)) ms,",
                        "\(Int(change.after.gap)) ms")
                }
            }
            group.cancelAll()
            try await group.waitForAll()
            await supervisor.giveBack()
            return found
        }
    }

    private func change(
        to policy: PoolSpec.Placement, _ store: PostgresStore, _ stream: PlacementStream, window: Duration
    ) async throws -> Change {
        stream.beginWindow()
        try await Task.sleep(for: window)
        let before = try stream.worst()
        stream.beginWindow()
        _ = try await store.update(
            .pool, project: nil, name: "\(Self.cell)-vms", precondition: .none,
            context: WriteContext(actor: "user/bench", verb: "update")
        ) { pool in
            var spec = try JSONDecoder().decode(PoolSpec.self, from: Data(pool.spec.utf8))
            spec.placement = policy
            pool.spec = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
        }
        try await Task.sleep(for: window)
        return Change(policy: policy, before: before, after: try stream.worst())
    }

    private func report(_ changes: [Change]) {
        print("change to | due to allocated, ms, before | after | longest gap, ms, before | after")
        for policy in Self.policies {
            let mine = changes.filter { $0.policy == policy }
            print(
                policy.rawValue, Spread(mine.map(\.before.latency)).text(),
                Spread(mine.map(\.after.latency)).text(), Spread(mine.map(\.before.gap)).text(),
                Spread(mine.map(\.after.gap)).text(), separator: " | ")
        }
    }
}
