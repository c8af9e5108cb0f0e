import Foundation
import Store

/// VMs and transactions per second of the Postgres store: VMs are created and then placed by plans of 1, 16
/// and 256 groups, by two controllers with a cell and a project each, on hosts that are 70 % full. Rounds
/// of `pgbench -N -c 2` on the same server alternate with ours; rounds are short, so that what else the
/// machine does hits both alike.
///
/// Options: `--rounds N` (at least 5), `--hosts N`, `--pgbench N` transactions of each of its clients,
/// `--vms-1 N`, `--vms-16 N` and `--vms-256 N` of one round and controller.
struct StoreBenchmark<C: Clock<Duration>> {
    private static var cells: [String] { ["a", "b"] }

    let options: BenchmarkOptions
    let clock: C

    /// Figures of one round at one size of plan.
    private struct Figures {
        /// Created and placed.
        var vmsPerSecond: Double
        /// Creations and commits, both.
        var transactionsPerSecond: Double
        var commitsPerSecond: Double
        /// `pgbench` transactions per second in the same round.
        var calibration: Double
    }

    func run() async throws {
        let rounds = try options.number("rounds", default: 15, atLeast: 5)
        let hosts = try options.number("hosts", default: 5000, atLeast: 600)
        let transactions = try options.number("pgbench", default: 500, atLeast: 100)
        let sizes = try [(1, 250), (16, 1600), (256, 2560)].map { size, vms in
            (size, try options.number("vms-\(size)", default: vms, atLeast: size) / size)
        }
        print("calibration_ms \(Calibration.milliseconds(clock))  rounds \(rounds)  hosts \(hosts)")
        let cluster = BenchmarkCluster()
        try await cluster.with { store in
            try await FilledFleet(cells: Self.cells, hosts: hosts, vmsPerHost: 10, usePct: 70).fill(cluster)
            let pgbench = try await PGBench(cluster)
            var committers: [Committer] = []
            for cell in Self.cells { committers.append(try await Committer(cell: cell, store: store)) }
            var found = sizes.map { _ in [Figures]() }
            // The first round fills caches and prepares statements; it does not count.
            for round in 0...rounds {
                for (index, (size, plans)) in sizes.enumerated() {
                    let rate = try await pgbench.transactionsPerSecond(
                        clients: Self.cells.count, transactions: transactions)
                    let figures = try await measure(&committers, size: size, plans: plans, calibration: rate)
                    if round > 0 { found[index].append(figures) }
                }
            }
            report(sizes.map(\.0), found)
        }
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    private func measure(
        _ committers: inout [Committer], size: Int, plans: Int, calibration: Double
    ) async throws -> Figures {
        let creating = try await together(&committers) { committer in
            for _ in 0..<plans { try await committer.create(size) }
        }
        let committing = try await together(&committers) { committer in
            for _ in 0..<plans { try await committer.commit(size) }
        }
        let count = Double(plans * committers.count)
        return Figures(
            vmsPerSecond: count * Double(size) / (creating + committing),
            transactionsPerSecond: 2 * count / (creating + committing), commitsPerSecond: count / committing,
            calibration: calibration)
    }

    /// Seconds until all have done the same.
    private func together(
        _ committers: inout [Committer], _ body: @escaping @Sendable (inout Committer) async throws -> Void
    ) async throws -> Double {
        let start = clock.now
        let before = committers
        committers = try await withThrowingTaskGroup { group in
            for committer in before {
                group.addTask {
                    var committer = committer
                    try await body(&committer)
                    return committer
                }
            }
            var after: [Committer] = []
            for try await committer in group { after.append(committer) }
            return after
        }
        return start.duration(to: clock.now) / .seconds(1)
    }

    private func report(_ sizes: [Int], _ found: [[Figures]]) {
        print("plan of | VMs/s | transactions/s | commits/s | pgbench -N -c 2 tps | transactions / tps")
        for (size, figures) in zip(sizes, found) {
            print(
                size, cell(figures) { $0.vmsPerSecond }, cell(figures) { $0.transactionsPerSecond },
                cell(figures) { $0.commitsPerSecond }, cell(figures) { $0.calibration },
                cell(figures, digits: 2) { $0.transactionsPerSecond / $0.calibration }, separator: " | ")
        }
    }

    private func cell(
        _ figures: [Figures], digits: Int = 0, _ value: (Figures) -> Double
    ) -> String { Spread(figures.map(value)).text(digits: digits) }
}
