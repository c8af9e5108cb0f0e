import Fleet
import Foundation
import VMPlacement

func uuid(_ number: Int, kind: UInt8 = 0) -> UUID {
    let bits = UInt32(number)
    func byte(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: bits >> shift) }
    return UUID(uuid: (kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(24), byte(16), byte(8), byte(0)))
}

func hostID(_ number: Int) -> ID<Document> { ID(uuid(number, kind: 1)) }
func allocationID(_ number: Int) -> ID<Allocation> { ID(uuid(number, kind: 2)) }

let epoch = Timestamp(microseconds: 1_000_000)

func makeHost(
    _ number: Int, vCPU: Int = 64, gibibytes: Int = 192, pool: String = "general",
    labels: [String: String] = [:], rack: String? = nil, zone: String = "z1", devices: [Device] = []
) -> HostSnapshot {
    HostSnapshot(
        id: hostID(number), name: "h-\(number)", pool: pool,
        capacity: Resources(milliCPU: vCPU * 1000, memoryMiB: gibibytes * 1024), labels: labels,
        domain: FailureDomain(zone: zone, rack: rack ?? "r\(number)"), devices: devices)
}

func makeRequest(
    _ number: Int = 1, vCPU: Int = 4, gibibytes: Int = 8, project: String = "p"
) -> VMRequest {
    VMRequest(
        workload: WorkloadReference(
            kind: .vm, uid: ID(uuid(number, kind: 3)), project: project, name: "vm-\(number)", part: "vm"),
        resources: Resources(milliCPU: vCPU * 1000, memoryMiB: gibibytes * 1024), queuedAt: epoch)
}

/// An allocation of `request` on a host, made without asking the engine.
func makeAllocation(
    _ number: Int, of request: VMRequest, on host: Int, devices: [String] = []
) -> Allocation {
    Allocation(
        id: allocationID(number), workload: request.workload, cell: "c", host: hostID(host),
        class: request.class, resources: request.resources, devices: devices,
        antiAffinity: request.antiAffinity, createdAt: epoch)
}

func makeGPU(
    _ uuid: String, model: String = "H100", numa: Int? = nil, nvlink: String? = nil,
    health: Device.Health = .healthy
) -> Device {
    Device(uuid: uuid, model: model, memoryMiB: 81_920, numaNode: numa, nvlinkDomain: nvlink, health: health)
}

extension PlacementCell {
    init(_ hosts: [HostSnapshot], _ allocations: [Allocation] = []) {
        self.init(name: "c", hosts: hosts, allocations: allocations)
    }

    /// The name of the chosen host, or nil.
    func hostName(for request: VMRequest, _ policy: PlacementPolicy = .bestFit) -> String? {
        choice(for: request, policy)?.hostName
    }

    func choice(for request: VMRequest, _ policy: PlacementPolicy = .bestFit) -> PlacementChoice? {
        guard case .place(let choice) = place(request, policy: policy) else { return nil }
        return choice
    }

    /// Places and commits; the choice, or nil when no host fits.
    mutating func commit(_ request: VMRequest, _ policy: PlacementPolicy, as number: Int) -> PlacementChoice?
    {
        guard let choice = choice(for: request, policy) else { return nil }
        add(choice.allocation(for: request, id: allocationID(number), cell: name, plan: nil, now: epoch))
        return choice
    }
}

/// Ids that count up.
final class CountingIDs: IDSource {
    private let counter = Counter()

    func next() -> UUID { uuid(counter.next(), kind: 9) }
}
