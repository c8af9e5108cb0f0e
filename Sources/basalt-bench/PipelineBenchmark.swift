import Control
import Fleet
import Foundation
import Logging
import ProgramShell
import Store

/// A cell's pipeline at scale on Postgres: how long it takes to read a cell with 5,000 hosts and 50,000
/// running VMs, and how long 256 new VMs take from their creation until all have an allocation.
///
/// Options: `--rounds N` (at least 5), `--hosts N`, `--vms-per-host N`, `--pending N`.
struct PipelineBenchmark<C: Clock<Duration>> {
    private static var cell: String { "a" }

    let options: BenchmarkOptions
    let clock: C

    private struct Round {
        var load: Double
        var cycles: [Double]
        var memory: Int
    }

    func run() async throws {
        let rounds = try options.number("rounds", default: 5, atLeast: 5)
        let hosts = try options.number("hosts", default: 5000, atLeast: 1)
        let perHost = try options.number("vms-per-host", default: 10, atLeast: 1)
        let pending = try options.number("pending", default: 256, atLeast: 1)
        print("calibration_ms \(Calibration.milliseconds(clock))  rounds \(rounds)")
        let cluster = BenchmarkCluster()
        try await cluster.with { store in
            let fleet = FilledFleet(cells: [Self.cell], hosts: hosts, vmsPerHost: perHost, usePct: 70)
            try await fleet.fill(cluster)
            var found: [Round] = []
            for _ in 0..<rounds {
                let round = try await measure(store, pending: pending)
                found.append(round)
                print(
                    "round \(found.count): load \(Int(round.load)) ms, placed in",
                    round.cycles.map { "\(Int($0))" }.joined(separator: " "), "ms, grown \(round.memory) MiB")
            }
            print("hosts | VMs | load ms | \(pending) placed in ms | MiB grown")
            print(
                hosts, hosts * perHost, Spread(found.map(\.load)).text(),
                Spread(found.flatMap(\.cycles)).text(),
                Spread(found.map { Double($0.memory) }).text(), separator: " | ")
        }
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    /// One controller from its start, with a few batches of VMs one after another.
    private func measure(_ store: PostgresStore, pending: Int) async throws -> Round {
        let watch = LogWatch()
        let logger = Logger(label: "pipeline") { _ in watch }
        let time = Timekeeper(now: SystemSeams.now, sleep: SystemSeams.sleep)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let supervisor = CellSupervisor(
            holder: "bench", store: store, hub: hub, ids: SystemSeams.ids, time: time, limits: CellLimits(),
            logger: logger)
        let before = try ProcessUsage.own.residentMiB
        return try await withThrowingTaskGroup { group in
            group.addTask { await hub.run() }
            group.addTask { await supervisor.run() }
            let load = try await watch.time(from: "lease acquired", to: "cell loaded", cell: Self.cell)
            let memory = try ProcessUsage.own.residentMiB - before
            // Statuses of what the pipeline found are settled before anything is timed.
            try await Task.sleep(for: .seconds(3))
            var tenant = try await Committer(cell: Self.cell, store: store, leased: false)
            var cycles: [Double] = []
            for _ in 0..<5 {
                let start = clock.now
                try await tenant.create(pending)
                try await placed(&tenant, store)
                cycles.append(Spread.milliseconds(start.duration(to: clock.now)))
                try await Task.sleep(for: .seconds(1))
            }
            group.cancelAll()
            try await group.waitForAll()
            await supervisor.giveBack()
            return Round(load: load, cycles: cycles, memory: memory)
        }
    }

    /// Returns when all VMs that the tenant created have an allocation.
    private func placed(_ tenant: inout Committer, _ store: PostgresStore) async throws {
        let uids = tenant.takeWaiting()
        var seen: UInt64 = 0
        while try await store.allocations(.workloads(uids)).count < uids.count {
            seen = try await store.waitForChange(after: seen, timeout: .seconds(1))
        }
    }
}
