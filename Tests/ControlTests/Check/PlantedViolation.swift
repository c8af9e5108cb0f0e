import Fleet
import Store
import Testing

@testable import Control

/// A way to break one invariant and no other.
struct PlantedViolation: Sendable, CustomTestStringConvertible {
    var invariant: Invariant
    var title: String
    var plant: @Sendable (inout FleetSnapshot) throws -> Void

    var testDescription: String { "\(invariant.rawValue): \(title)" }

    init(
        _ invariant: Invariant, _ title: String,
        _ plant: @escaping @Sendable (inout FleetSnapshot) throws -> Void
    ) {
        self.invariant = invariant
        self.title = title
        self.plant = plant
    }

    static let all =
        devices + rooms + owners + generations + writers + plans + guarantees + events + deletions
}

extension PlantedViolation {
    static let devices = [
        PlantedViolation(.deviceHeldOnce, "a device under two allocations of a host") { fleet in
            try fleet.addAllocation(like: "fixed-device") { $0.workload.part = "extra" }
        },
        PlantedViolation(.deviceHeldOnce, "a device under allocations of two hosts") { fleet in
            let other = try fleet.host("h2").id
            try fleet.addAllocation(like: "fixed-device") {
                $0.workload.part = "extra"
                $0.host = other
            }
        },
        PlantedViolation(.deviceHeldOnce, "a device in two hosts") { fleet in
            let device = try #require(try fleet.host("h1").devices.first)
            try fleet.editHost("h2") { $0.devices.append(device) }
        },
        PlantedViolation(.deviceHeldOnce, "a held device that its host counts as free") { fleet in
            try fleet.editHost("h1") { $0.takenDevices.removeAll { $0 == "h1-0" } }
        },
    ]

    static let rooms = [
        PlantedViolation(.roomHolds, "a column that is not the sum") { fleet in
            try fleet.editHost("h1") { $0.room.sharedMilliCPU += 1 }
        },
        PlantedViolation(.roomHolds, "a predicted peak that its host does not know of") { fleet in
            let id = try fleet.allocation("fixed-device").id
            for index in fleet.allocations.indices where fleet.allocations[index].id == id {
                fleet.allocations[index].peakMilliCPU = 1
            }
        },
        PlantedViolation(.roomHolds, "a peak above what the VM has") { fleet in
            try fleet.editAllocation("fixed-device") { $0.peakMilliCPU = $0.resources.milliCPU + 1 }
        },
        PlantedViolation(.roomHolds, "memory over the limit of an unchanged host") { fleet in
            try fleet.forgetObservations(of: "h2")
            try fleet.editHost("h2") { $0.generation = 1 }
            try fleet.editAllocation("fixed-guaranteed") { $0.resources.memoryMiB = 200_000 }
        },
        PlantedViolation(.roomHolds, "memory over every limit that was observed") { fleet in
            try fleet.editAllocation("fixed-guaranteed") { $0.resources.memoryMiB = 200_000 }
        },
        PlantedViolation(.roomHolds, "shared CPU over the ratio") { fleet in
            try fleet.editAllocation("fixed-device") { $0.resources.milliCPU = 64_000 }
        },
        PlantedViolation(.roomHolds, "use that grew above a lowered limit") { fleet in
            try fleet.editHost("h2") { $0.room.total.memoryMiB = 1024 + 2047 }
            let host = try fleet.host("h2")
            fleet.observations.removeAll { $0.host == host.id }
            var before = HostObservation(host, epoch: 1)
            before.room.total.memoryMiB = 1_000_000
            fleet.observations.append(before)
            before.room = host.room
            before.room.usedMemoryMiB -= 1
            fleet.observations.append(before)
        },
        PlantedViolation(.roomHolds, "a quota charged for nothing") { fleet in fleet.quotas[0].used += 1 },
    ]

    static let owners = [
        PlantedViolation(.partsAreOwned, "an allocation whose workload does not exist") { fleet in
            let uid = try fleet.allocation("fixed-reserved").workload.uid
            fleet.workloads.removeAll { $0.uid == uid }
            fleet.feed.removeAll { $0.uid == uid }
        },
        PlantedViolation(.partsAreOwned, "a part that the ledger never knew") { fleet in
            var stray = try fleet.allocation("fixed-idle", orLike: "fixed-device")
            stray.id = FleetSnapshot.freshID(7)
            stray.workload.uid = FleetSnapshot.freshID(8)
            try fleet.journal(.start, stray, on: "h3")
        },
        PlantedViolation(.partsAreOwned, "a part that runs after its release") { fleet in
            try fleet.journal(.start, try fleet.allocation("fixed-ended"), on: "h3")
        },
        PlantedViolation(.partsAreOwned, "a part that runs on another host") { fleet in
            try fleet.journal(.start, try fleet.allocation("fixed-reserved"), on: "h1")
        },
        PlantedViolation(.partsAreOwned, "a quarantined part without its allocation") { fleet in
            let found = try fleet.allocation("fixed-found")
            fleet.allocations.removeAll { $0.id == found.id }
            fleet.feed.removeAll { $0.uid.uuid == found.id.uuid }
            fleet.resum()
        },
    ]

    static let generations = [
        PlantedViolation(.generationsRise, "a host's generation below an observed one") { fleet in
            let index = try #require(fleet.observations.indices.last)
            fleet.observations[index].generation.number += 1
        },
        PlantedViolation(.generationsRise, "an assignment below an observed one") { fleet in
            let index = try #require(fleet.observations.indices.last)
            fleet.observations[index].assignment.number += 100
        },
        PlantedViolation(.generationsRise, "observations that fall") { fleet in
            fleet.observations[0].generation.epoch = 2
        },
        PlantedViolation(.generationsRise, "a journal that acted on an older assignment") { fleet in
            let index = try #require(fleet.journals.indices.last { fleet.journals[$0].generation.number > 0 })
            let host = fleet.journals[index].host
            try #require(fleet.journals[..<index].contains { $0.host == host })
            fleet.journals[index].generation.number = -1
        },
        PlantedViolation(.generationsRise, "a feed out of order") { fleet in fleet.feed.swapAt(3, 4) },
        PlantedViolation(.generationsRise, "an entry twice in the feed") { fleet in
            let entry = try #require(fleet.feed.last { $0.change == .updated })
            let index = try #require(fleet.feed.firstIndex(of: entry))
            fleet.feed.insert(entry, at: index)
        },
    ]

    static let writers = [
        PlantedViolation(.oneWriter, "a part allocated on two hosts") { fleet in
            let other = try fleet.host("h2").id
            try fleet.addAllocation(like: "fixed-reserved") { $0.host = other }
        },
        PlantedViolation(.oneWriter, "a part allocated twice on one host") { fleet in
            try fleet.addAllocation(like: "fixed-reserved") { _ in }
        },
        PlantedViolation(.oneWriter, "two runs of a part at once") { fleet in
            var twin = try fleet.allocation("fixed-ended")
            let start = try #require(fleet.journals.first { $0.allocation == twin.id }).at
            twin.id = FleetSnapshot.freshID(9)
            try fleet.journal(.start, twin, on: "h4", at: start.advanced(by: .seconds(1)))
            try fleet.journal(.stop, twin, on: "h4", at: start.advanced(by: .seconds(2)))
        },
        PlantedViolation(.oneWriter, "a short run inside one that goes on") { fleet in
            var twin = try fleet.allocation("fixed-device")
            twin.id = FleetSnapshot.freshID(9)
            try fleet.journal(.start, twin, on: "h1")
            try fleet.journal(.stop, twin, on: "h1")
        },
        PlantedViolation(.oneWriter, "a reservation whose source does not know of it") { fleet in
            try fleet.addStandby(like: "fixed-reserved")
        },
        PlantedViolation(.oneWriter, "two reservations of one migration") { fleet in
            let migration = try fleet.addStandby(like: "fixed-reserved")
            try fleet.depart("fixed-reserved", by: migration)
            let other = try fleet.host("h4").id
            try fleet.addAllocation(like: "fixed-reserved", id: FleetSnapshot.freshID(4)) {
                $0.host = other
                $0.departure = nil
                $0.arrival = MigrationArrival(migration: migration, standsBy: true)
            }
        },
        PlantedViolation(.oneWriter, "a departure without a target") { fleet in
            try fleet.depart("fixed-reserved", by: FleetSnapshot.freshID(5))
        },
        PlantedViolation(.oneWriter, "both sides of a migration write") { fleet in
            let migration = try fleet.addStandby(like: "fixed-reserved")
            try fleet.depart("fixed-reserved", by: migration)
            let index = try #require(fleet.allocations.firstIndex { $0.isStandby })
            fleet.allocations[index].arrival?.standsBy = false
            fleet.resum()
        },
    ]

    static let plans = [
        PlantedViolation(.plansApplyOnce, "a plan applied twice") { fleet in
            fleet.plans.append(try #require(fleet.plans.first))
        },
        PlantedViolation(.plansApplyOnce, "an allocation made twice") { fleet in
            var again = try #require(fleet.feed.first { $0.kind == .allocation && $0.change == .created })
            again.cursor = try #require(fleet.feed.last).cursor
            again.cursor.sequence += 1
            fleet.feed.append(again)
        },
        PlantedViolation(.plansApplyOnce, "an allocation of an unknown plan") { fleet in
            try fleet.editAllocation("fixed-ended") { $0.plan = FleetSnapshot.freshID(3) }
        },
    ]

    static let guarantees = [
        PlantedViolation(.guaranteeHolds, "a guaranteed VM larger than its host") { fleet in
            try fleet.editAllocation("fixed-guaranteed") { $0.resources.milliCPU = 31_001 }
        },
        PlantedViolation(.guaranteeHolds, "a guaranteed VM that counts by what it is thought to use") {
            fleet in
            try fleet.editAllocation("fixed-guaranteed") { $0.peakMilliCPU = 10 }
        },
        PlantedViolation(.guaranteeHolds, "shared CPU that became guaranteed") { fleet in
            try fleet.editAllocation("fixed-device") {
                $0.resources.milliCPU = 31_001
                $0.class = .guaranteed
            }
        },
        PlantedViolation(.guaranteeHolds, "an unchanged host without observations") { fleet in
            try fleet.forgetObservations(of: "h2")
            try fleet.editHost("h2") { $0.generation = 1 }
            try fleet.editAllocation("fixed-guaranteed") { $0.resources.milliCPU = 40_000 }
        },
    ]

    static let events = [
        forgotten(.created, of: "fixed-idle"), forgotten(.deleted, of: "fixed-gone"),
        forgotten(.deletionRequested, of: "fixed-doomed"), forgotten(.scheduled, of: "fixed-reserved"),
        forgotten(.running, of: "fixed-device"), forgotten(.exited, of: "fixed-ended"),
        forgotten(.quarantined, of: "fixed-found"),
        PlantedViolation(.changesAreTold, "a host that became suspect") { fleet in
            try fleet.editHost("h3") { $0.contact = .suspect }
        },
        PlantedViolation(.changesAreTold, "a host that was fenced") { fleet in
            try fleet.editHost("h3") { $0.contact = .fenced }
        },
    ]

    private static func forgotten(_ reason: Reason, of name: String) -> PlantedViolation {
        PlantedViolation(.changesAreTold, "no event \(reason.rawValue) of \(name)") { fleet in
            let count = fleet.events.count
            fleet.events.removeAll { $0.name == name && $0.reason == reason }
            try #require(fleet.events.count < count)
        }
    }

    static let deletions = [
        PlantedViolation(.nothingVanishes, "a released allocation that is gone") { fleet in
            let gone = try fleet.allocation("fixed-ended").id
            fleet.allocations.removeAll { $0.id == gone }
        },
        PlantedViolation(.nothingVanishes, "a workload that is gone") { fleet in
            fleet.workloads.removeAll { $0.name == "fixed-idle" }
        },
        PlantedViolation(.nothingVanishes, "a group that is gone") { fleet in
            fleet.workloads.removeAll { $0.name == "fixed-group" }
        },
        PlantedViolation(.nothingVanishes, "a host that is gone with what it held") { fleet in
            fleet.hosts.removeAll { $0.name == "h4" }
        },
        PlantedViolation(.nothingVanishes, "a host deleted under its allocations") { fleet in
            let host = try fleet.host("h4")
            fleet.hosts.removeAll { $0.name == "h4" }
            fleet.feed.removeAll { $0.uid == host.id }
        },
        PlantedViolation(.nothingVanishes, "a part released while it ran") { fleet in
            try fleet.editAllocation("fixed-ended") {
                $0.releasedAt = $0.releasedAt?.advanced(by: .seconds(-2))
            }
        },
        PlantedViolation(.nothingVanishes, "a deletion without the last version") { fleet in
            let index = try #require(fleet.feed.firstIndex { $0.change == .deleted })
            fleet.feed[index].final = nil
        },
        PlantedViolation(.nothingVanishes, "a deletion that nobody asked for") { fleet in
            let index = try #require(
                fleet.feed.firstIndex { $0.change == .deleted && $0.name == "fixed-gone" })
            fleet.feed[index].final?.metadata.finalizers = [Finalizer.allocations]
        },
    ]
}

extension FleetSnapshot {
    fileprivate func allocation(_ name: String, orLike other: String) throws -> Allocation {
        try allocations.last { $0.workload.name == name } ?? allocation(other)
    }
}
