import Fleet
import Foundation
import Replay
import VMPlacement

/// Decisions per second of one core on a fleet in steady use: the shapes of a trace arrive in its order, and
/// random VMs depart so that the use stays at the target.
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
        for hosts in [300, 10_000] {
            for policy in [PlacementPolicy.bestFit, .firstFit] {
                var fleet = SteadyFleet(
                    hosts: hosts, policy: policy, usePct: usePct, shapes: trace.vms.map(\.resources),
                    seed: seed)
                fleet.fill()
                measure(&fleet, decisions: hosts == 300 ? 100_000 : 20_000, rounds: rounds)
            }
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
                let start = clock.now
                fleet.arrive()
                times.append(start.duration(to: clock.now) / .microseconds(1))
            }
            rates.append(Double(decisions) * 1e6 / times.reduce(0, +))
            p99s.append(times.sorted()[decisions * 99 / 100])
        }
        report(fleet, decisions, Spread(rates), Spread(p99s))
    }

    private func report(_ fleet: SteadyFleet, _ decisions: Int, _ rates: Spread, _ p99s: Spread) {
        print(
            "\(fleet.cell.hostCount) hosts, \(fleet.policy.rawValue), use \(fleet.usedPct) %,",
            "\(fleet.cell.allocationCount) VMs, n \(rates.values.count) x \(decisions):",
            "median \(Int(rates.median))/s [\(Int(rates.lowest)) to \(Int(rates.highest))],",
            "p99 \(p99s.median) us [\(p99s.lowest) to \(p99s.highest)], failed \(fleet.failed)")
    }
}

/// A fleet whose use is held at a target.
struct SteadyFleet {
    private static let shape = Resources(milliCPU: 64_000, memoryMiB: 192 * 1024)

    let policy: PlacementPolicy
    private(set) var cell: PlacementCell
    private(set) var failed = 0
    private let shapes: [Resources]
    private let target: Int
    private var used = 0
    private var running: [(id: ID<Allocation>, milliCPU: Int)] = []
    private var arrivals = 0
    private var random: SplitMix64
    private var request: VMRequest

    init(hosts: Int, policy: PlacementPolicy, usePct: Int, shapes: [Resources], seed: UInt64) {
        self.policy = policy
        self.shapes = shapes
        target = hosts * Self.shape.milliCPU / 100 * usePct
        random = SplitMix64(seed: seed)
        cell = PlacementCell(
            name: "bench",
            hosts: (0..<hosts).map {
                HostSnapshot(id: ID(uuid($0)), name: "host-\($0)", pool: "hosts", capacity: Self.shape)
            })
        let workload = WorkloadReference(
            kind: .vm, uid: ID(uuid(0)), project: "bench", name: "vm", part: "vm")
        request = VMRequest(workload: workload, resources: .zero, queuedAt: Timestamp(microseconds: 0))
    }

    var usedPct: Int { used * 100 / (cell.hostCount * Self.shape.milliCPU) }

    mutating func fill() {
        while used < target { arrive() }
        failed = 0
    }

    /// Ends random VMs until the use is at the target.
    mutating func depart() {
        while used > target, !running.isEmpty {
            let index = Int(random.next() % UInt64(running.count))
            let vm = running[index]
            running[index] = running[running.count - 1]
            running.removeLast()
            cell.remove(allocation: vm.id)
            used -= vm.milliCPU
        }
    }

    /// One decision with its commit.
    mutating func arrive() {
        request.resources = shapes[arrivals % shapes.count]
        arrivals += 1
        guard case .place(let choice) = cell.place(request, policy: policy) else {
            failed += 1
            return
        }
        let id = ID<Allocation>(uuid(arrivals))
        cell.add(
            choice.allocation(for: request, id: id, cell: "bench", plan: nil, now: Timestamp(microseconds: 0))
        )
        running.append((id, request.resources.milliCPU))
        used += request.resources.milliCPU
    }
}

/// Ids in the order of numbers.
private func uuid(_ number: Int) -> UUID {
    let bits = UInt64(number)
    func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> shift) }
    return UUID(
        uuid: (
            0, 0, 0, 0, 0, 0, 0, 0, byte(56), byte(48), byte(40), byte(32), byte(24), byte(16), byte(8),
            byte(0)
        ))
}
