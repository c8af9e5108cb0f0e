import Fleet
import Foundation
import VMPlacement

/// A fleet whose use is held at a target.
struct SteadyFleet {
    private static let shape = Resources(milliCPU: 64_000, memoryMiB: 192 * 1024)

    let scenario: Scenario
    private(set) var cell: PlacementCell
    private(set) var failed = 0
    private let shapes: [Resources]
    private let target: Int
    private var used = 0
    private var running: [(id: ID<Allocation>, milliCPU: Int)] = []
    private var arrivals = 0
    private var random: SplitMix64
    private var request: VMRequest

    init(scenario: Scenario, usePct: Int, shapes: [Resources], seed: UInt64) {
        self.scenario = scenario
        self.shapes = shapes
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
        if scenario.isConstrained { request.hostSelector = ["disk": "nvme"] }
    }

    var usedPct: Int { used * 100 / (cell.hostCount * Self.shape.milliCPU) }

    /// Places VMs until the use is at the target, or until the fleet refuses as many as it holds hosts.
    mutating func fill() {
        while used < target, failed < scenario.hosts { arrive() }
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
        if scenario.isConstrained { request.antiAffinity = AntiAffinity(group: "g\(arrivals % 2000)") }
        guard case .place(let choice) = cell.place(request, policy: scenario.policy) else {
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
