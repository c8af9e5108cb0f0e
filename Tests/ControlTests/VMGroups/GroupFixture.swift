import Fleet
import Store
import VMPlacement

@testable import Control

/// A group `ring`, its members and a cell of hosts with 8 vCPUs each.
struct GroupFixture {
    static let now = Timestamp(microseconds: 1_700_000_000_000_000)

    let ids = CountedIDs()
    var group: VMGroupRecord
    var model = CellModel(name: "a")
    var members: [VMRecord] = []

    init(
        replicas: Int, placement: VMGroupSpec.Placement = .all, separation: VMGroupSpec.Separation? = nil,
        hosts: Int = 0
    ) throws {
        let spec = VMGroupSpec(
            replicas: replicas, placement: placement, antiAffinity: separation,
            template: VMTemplate(
                labels: ["tier": "t"], spec: VMSpec(resources: Resources(milliCPU: 4000, memoryMiB: 64))))
        group = try VMGroupRecord(
            Resource(
                kind: .vmGroup,
                metadata: Metadata(
                    name: "ring", uid: ids.id(), project: "team", createdAt: Self.now,
                    finalizers: [Finalizer.members]),
                spec: try DocumentJSON.encode(spec)))
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm]))
        for number in 0..<hosts { model.put(host: host("h\(number)")) }
    }

    func host(
        _ name: String, cell: String = "a", milliCPU: Int = 8000, rack: String = ""
    ) -> HostRecord {
        HostRecord(
            id: ids.id(), name: name, cell: cell, pool: "p", labels: [:],
            domain: FailureDomain(zone: "z", rack: rack), substrate: "simulated", generation: 1,
            assignment: 0, cordoned: false, draining: false, contact: .ready, session: nil,
            room: HostRoom(total: Resources(milliCPU: milliCPU, memoryMiB: 8192)), devices: [],
            takenDevices: [])
    }

    /// A member as the reconciler makes it.
    mutating func make(_ ordinals: Range<Int>) throws {
        for ordinal in ordinals {
            let draft = try group.member(ordinal: ordinal, uid: ids.id(), cell: "a")
            members.append(try VMRecord(draft.resource(createdAt: Self.now)))
        }
    }

    /// Tells the model of the group and of all members.
    mutating func tell() {
        model.put(group: group)
        for member in members { model.put(vm: member) }
    }

    /// Gives a member room on a host, as a commit does.
    @discardableResult
    mutating func run(_ ordinal: Int, on host: ID<Document>) -> Allocation {
        let vm = members[ordinal]
        let allocation = Allocation(
            id: ids.id(), workload: vm.reference, cell: "a", host: host, class: .standard,
            resources: Resources(milliCPU: 4000, memoryMiB: 64), state: .active, createdAt: Self.now)
        model.put(allocation: allocation)
        members[ordinal].status.allocation = allocation.id
        members[ordinal].status.state = .running
        return allocation
    }

    func requests(limit: Int = 256) -> [String] {
        model.requests(limit: limit).map(\.workload.name)
    }
}
