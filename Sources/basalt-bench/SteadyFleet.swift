import Fleet
import Foundation
import Replay
import VMPlacement

/// A fleet whose use is held at a target.
struct SteadyFleet {
    private static let shape = Resources(milliCPU: 64_000, memoryMiB: 192 * 1024)

    let scenario: Scenario
    private(set) var cell: PlacementCell
    private(set) var failed = 0
    private let vms: [TraceVM]
    private let target: Int
    private var used = 0
    private var running: [Running] = []
    private var now = Timestamp(microseconds: 0)
    private var arrivals = 0
    private var random: SplitMix64
    private var request: VMRequest
    /// True end of the request that was prepared.
    private var endsAt = Timestamp(microseconds: 0)
    /// The VM of the last arrival, until it is settled.
    private var placed: Running?

    /// In the order of their ends, the next one last, where lifetimes are used; otherwise in any order.
    private struct Running {
        var id: ID<Allocation>
        var milliCPU: Int
        var endsAt: Timestamp
    }

    /// Natural logarithm of what the owner says over the true lifetime.
    private static let hintDeviation = 0.5

    init(scenario: Scenario, usePct: Int, vms: [TraceVM], seed: UInt64) {
        self.scenario = scenario
        self.vms = vms
        target = scenario.hosts * Self.shape.milliCPU / 100 * usePct
        random = SplitMix64(seed: seed)
        cell = PlacementCell(
            name: "bench",
            hosts: (0..<scenario.hosts).map {
                HostSnapshot(
                    id: ID(uuid($0)), name: "host-\($0)", pool: "hosts", capacity: Self.shape,
                    labels: ["disk": $0 % 10 == 0 ? "hdd" : "nvme", "host": "host-\($0)"],
                    domain: FailureDomain(zone: "z\($0 % 3)", rack: "r\($0 / 40)"))
            })
        let workload = WorkloadReference(
            kind: .vm, uid: ID(uuid(0)), project: "bench", name: "vm", part: "vm")
        request = VMRequest(workload: workload, resources: .zero, queuedAt: Timestamp(microseconds: 0))
        if scenario.policy.needsLifetimes {
            cell.trackLifetimes(
                LifetimeSettings(ladder: scenario.policy.ladder),
                model: HintModel(spread: Self.hintDeviation), now: now)
        }
        if scenario.isConstrained { request.hostSelector = ["disk": "nvme"] }
    }

    var usedPct: Int { used * 100 / (cell.hostCount * Self.shape.milliCPU) }

    /// Places VMs until the use is at the target, or until the fleet refuses as many as it holds hosts.
    mutating func fill() {
        while used < target, failed < scenario.hosts {
            prepare()
            arrive()
            settle()
        }
        failed = 0
    }

    /// Ends VMs until the use is at the target: those that are due first where lifetimes are used, for which
    /// time passes, and otherwise random ones.
    mutating func depart() {
        while used > target, !running.isEmpty {
            if !scenario.policy.needsLifetimes {
                running.swapAt(Int(random.next() % UInt64(running.count)), running.count - 1)
            }
            let vm = running.removeLast()
            now = max(now, vm.endsAt)
            cell.remove(allocation: vm.id, endedAt: vm.endsAt)
            used -= vm.milliCPU
        }
    }

    /// Makes the next request of the trace.
    mutating func prepare() {
        let vm = vms[arrivals % vms.count]
        request.resources = vm.resources
        arrivals += 1
        if scenario.isConstrained { request.antiAffinity = AntiAffinity(group: "g\(arrivals % 2000)") }
        guard scenario.policy.needsLifetimes else { return }
        endsAt = Timestamp(microseconds: now.microseconds + vm.departure - vm.arrival)
        let seconds = endsAt.since(now).inSeconds * exp(Self.hintDeviation * normal())
        request.lifetimeHint = .seconds(max(1, seconds))
    }

    /// A draw of nearly N(0, 1): the sum of twelve even draws less their mean.
    private mutating func normal() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 }
    }

    /// One decision with its commit, of what was prepared.
    mutating func arrive() {
        if scenario.policy.needsLifetimes { cell.advance(to: now, repredicting: scenario.policy.repredicts) }
        guard case .place(let choice) = cell.place(request, policy: scenario.policy) else {
            failed += 1
            return
        }
        let id = ID<Allocation>(uuid(arrivals))
        cell.add(
            choice.allocation(for: request, id: id, cell: "bench", plan: nil, now: now),
            lifetime: VMLifetime(features: VMFeatures(request), startedAt: now))
        placed = Running(id: id, milliCPU: request.resources.milliCPU, endsAt: endsAt)
    }

    /// Takes the VM that arrived into account.
    mutating func settle() {
        guard let vm = placed else { return }
        placed = nil
        used += vm.milliCPU
        guard scenario.policy.needsLifetimes else {
            running.append(vm)
            return
        }
        var low = 0
        var high = running.count
        while low < high {
            let middle = (low + high) / 2
            if running[middle].endsAt > vm.endsAt { low = middle + 1 } else { high = middle }
        }
        running.insert(vm, at: low)
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
