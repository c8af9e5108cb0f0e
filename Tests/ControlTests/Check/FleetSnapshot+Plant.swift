import Fleet
import Store
import Testing

@testable import Control

/// Edits that keep a snapshot consistent in everything but what a test means to break.
extension FleetSnapshot {
    func host(_ name: String) throws -> HostRecord { try #require(hosts.first { $0.name == name }) }

    func allocation(_ name: String) throws -> Allocation {
        try #require(allocations.last { $0.workload.name == name })
    }

    mutating func editHost(_ name: String, _ change: (inout HostRecord) -> Void) throws {
        let index = try #require(hosts.firstIndex { $0.name == name })
        change(&hosts[index])
    }

    mutating func editAllocation(_ name: String, _ change: (inout Allocation) -> Void) throws {
        let index = try #require(allocations.lastIndex { $0.workload.name == name })
        change(&allocations[index])
        resum()
    }

    /// Adds an allocation like that of a workload, told and charged as it should be.
    mutating func addAllocation(
        like name: String, id: ID<Allocation> = freshID(1), _ change: (inout Allocation) -> Void
    ) throws {
        var copy = try allocation(name)
        copy.id = id
        copy.state = .reserved
        change(&copy)
        allocations.append(copy)
        tell(.scheduled, uid: copy.workload.uid, name: name)
        resum()
    }

    /// Adds the reservation of a migration to `h2`; its source is not told.
    @discardableResult
    mutating func addStandby(like name: String) throws -> ID<PartMigration> {
        let migration: ID<PartMigration> = Self.freshID(2)
        let other = try host("h2").id
        try addAllocation(like: name) {
            $0.host = other
            $0.arrival = MigrationArrival(migration: migration, standsBy: true)
        }
        return migration
    }

    /// Makes what writes for a workload the source of a migration.
    mutating func depart(_ name: String, by migration: ID<PartMigration>) throws {
        let index = try #require(allocations.firstIndex { $0.workload.name == name && $0.arrival == nil })
        allocations[index].departure = migration
        resum()
    }

    mutating func tell(_ reason: Reason, uid: ID<Document>, name: String) {
        let last = events.last
        events.append(
            EventRecord(
                id: (last?.id ?? 0) + 1, at: last?.at ?? Timestamp(microseconds: 0), kind: .vm,
                project: "team",
                name: name, uid: uid, reason: reason, message: "", source: "test"))
    }

    /// Makes rows of hosts and quotas what the allocations sum to.
    mutating func resum() {
        let fleet = CheckedFleet(self)
        for index in hosts.indices {
            let live = fleet.liveByHost[hosts[index].id] ?? []
            hosts[index].room = fleet.room(of: hosts[index], holding: live)
            hosts[index].takenDevices = live.flatMap(\.devices).sorted()
        }
        for index in quotas.indices {
            let own = fleet.live.filter { $0.workload.project == quotas[index].project && !$0.isStandby }
            switch quotas[index].resource {
            case .milliCPU: quotas[index].used = own.reduce(0) { $0 + $1.resources.milliCPU }
            case .memoryMiB: quotas[index].used = own.reduce(0) { $0 + $1.resources.memoryMiB }
            case .devices: quotas[index].used = own.reduce(0) { $0 + $1.devices.count }
            }
        }
    }

    mutating func forgetObservations(of name: String) throws {
        let id = try host(name).id
        observations.removeAll { $0.host == id }
    }

    /// Appends a line to a host's journal, as late and as new as its last one.
    mutating func journal(
        _ event: JournalEntry.Event, _ allocation: Allocation, on host: String, at: Timestamp? = nil
    ) throws {
        let id = try self.host(host).id
        let last = journals.last { $0.host == id }
        journals.append(
            JournalEntry(
                at: try at ?? #require(journals.last).at, host: id, allocation: allocation.id,
                workload: allocation.workload.uid, part: allocation.workload.part, event: event,
                generation: last?.generation ?? Generation(epoch: 1, number: 0)))
    }

    /// An id that no fixture draws.
    static func freshID<Subject>(_ number: UInt8) -> ID<Subject> {
        ID("ffffffff-0000-0000-0000-0000000000\(number < 10 ? "0" : "")\(number)") ?? .zero
    }
}
