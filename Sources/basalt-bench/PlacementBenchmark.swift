import Fleet
import Foundation
import Replay
import VMPlacement

/// Decisions per second of one core on a fleet in steady use: the VMs of a trace arrive in its order, and
/// others depart so that the use stays at the target: random ones, or, for policies that go by lifetimes,
/// those whose own time is over.
///
/// Options: `--trace FILE`, `--rounds N` (at least 5), `--use-pct P`, `--seed S`.
struct PlacementBenchmark<C: Clock<Duration>> {
    let options: BenchmarkOptions
    let clock: C

    func run() throws {
        let path = options.text("trace", default: "Benchmarks/traces/azure-v1-sample.csv")
        let rounds = try options.number("rounds", default: 7, atLeast: 5)
        let usePct = try options.number("use-pct", default: 70, atLeast: 1)
        let seed = UInt64(try options.number("seed", default: 1, atLeast: 0))
        let trace = try VMTraceReader().read(TraceSource(argument: path))
        print(
            "calibration_ms \(Calibration.milliseconds(clock))  rounds \(rounds)  seed \(seed)  trace \(path)"
        )
        for scenario in Scenario.all {
            var fleet = SteadyFleet(scenario: scenario, usePct: usePct, vms: trace.vms, seed: seed)
            fleet.fill()
            measure(&fleet, decisions: scenario.decisions, rounds: rounds)
        }
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    private func measure(_ fleet: inout SteadyFleet, decisions: Int, rounds: Int) {
        var rates: [Double] = []
        var p99s: [Double] = []
        for _ in 0..<rounds {
            var times: [Double] = []
            times.reserveCapacity(decisions)
            for _ in 0..<decisions {
                fleet.depart()
                fleet.prepare()
                let start = clock.now
                fleet.arrive()
                times.append(start.duration(to: clock.now) / .microseconds(1))
                fleet.settle()
            }
            rates.append(Double(decisions) * 1e6 / times.reduce(0, +))
            p99s.append(times.sorted()[decisions * 99 / 100])
        }
        report(fleet, decisions, Spread(rates), Spread(p99s))
    }

    private func report(_ fleet: SteadyFleet, _ decisions: Int, _ rates: Spread, _ p99s: Spread) {
        print(
            "\(fleet.scenario.name), use \(fleet.usedPct) %,",
            "\(fleet.cell.allocationCount) VMs, n \(rates.values.count) x \(decisions):",
            "median \(Int(rates.median))/s [\(Int(rates.lowest)) to \(Int(rates.highest))],",
            "p99 \(p99s.median) us [\(p99s.lowest) to \(p99s.highest)], failed \(fleet.failed)")
    }
}
