import FaultLab
import Fleet
import Synchronization
import Testing

@testable import Store
@testable import World

/// What a store that lost its checks would let happen, done to the store of a world: the judges must see it.
@Suite("Planted violations") struct PlantedViolationTests {
    /// What rows of hosts and allocations alone show.
    enum Slip: String, CaseIterable {
        case deviceGivenTwice, memoryOverdrawn, generationFell, assignmentFell, epochFell, guaranteeOverdrawn

        var invariant: String {
            switch self {
            case .deviceGivenTwice: "invariant 1"
            case .memoryOverdrawn: "invariant 2"
            case .generationFell, .assignmentFell, .epochFell: "invariant 4"
            case .guaranteeOverdrawn: "invariant 7"
            }
        }

        /// - Parameter ids: of allocations that are made.
        func happen(in state: inout MemoryState, _ ids: [ID<Allocation>]) throws {
            var (row, allocation) = try state.someAllocation()
            allocation.arrival = nil
            allocation.departure = nil
            allocation.peakMilliCPU = nil
            switch self {
            case .generationFell: row.record.generation -= 1
            case .assignmentFell: row.record.assignment -= 1
            case .epochFell: state.cluster.epoch -= 1
            case .deviceGivenTwice:
                allocation.devices = [try #require(row.record.devices.first).uuid]
                for id in ids { state.give(&row, allocation, id) }
            case .memoryOverdrawn:
                allocation.resources.memoryMiB = row.record.room.total.memoryMiB
                state.give(&row, allocation, ids[0])
            case .guaranteeOverdrawn:
                allocation.class = .guaranteed
                allocation.resources.milliCPU = row.record.room.total.milliCPU
                state.give(&row, allocation, ids[0])
            }
            state.hosts[row.record.id] = row
            state.recordLedger(of: row.record)
        }
    }

    @Test("the ledger's watch sees at once", arguments: Slip.allCases)
    func slip(_ slip: Slip) async throws {
        let report = try await run { world in
            let ids = [ID<Allocation>(world.ids.next()), ID<Allocation>(world.ids.next())]
            try world.store.write { try slip.happen(in: &$0, ids) }
            // Nobody else judges meanwhile.
            try await world.sleep(for: .microseconds(1))
        }
        #expect(report.violations.contains { $0.invariant == slip.invariant }, "\(report.violations)")
    }

    /// What documents, plans, events and journals show as well.
    enum Loss: String, CaseIterable {
        case workloadGone, allocationGone, allocationReleasedUnasked, madeTwice, untold

        var invariants: Set<String> {
            switch self {
            case .workloadGone: ["invariant 3", "invariant 9"]
            case .allocationGone: ["invariant 3", "invariant 9"]
            case .allocationReleasedUnasked: ["invariant 3"]
            case .madeTwice: ["invariant 6"]
            case .untold: ["invariant 8"]
            }
        }

        func happen(in state: inout MemoryState) throws {
            var (row, allocation) = try state.someAllocation()
            let uid = allocation.workload.uid
            switch self {
            case .workloadGone: state.documents.remove(try #require(state.documents[uid]))
            case .allocationGone:
                row.free(allocation)
                state.hosts[row.record.id] = row
                state.allocations.remove(allocation)
            case .allocationReleasedUnasked:
                row.free(allocation)
                state.hosts[row.record.id] = row
                allocation.state = .released
                allocation.releasedAt = state.now
                state.allocations.put(allocation)
            case .madeTwice: state.record(.created, of: allocation)
            case .untold:
                for index in state.events.indices where state.events[index].uid == uid {
                    state.events[index].reason = .created
                }
            }
        }
    }

    @Test("the judge sees", arguments: Loss.allCases)
    func loss(_ loss: Loss) async throws {
        let report = try await run { world in
            try world.store.write { try loss.happen(in: &$0) }
            await Judge(world: world).check()
        }
        let found = Set(report.violations.map(\.invariant))
        #expect(found.isSuperset(of: loss.invariants), "\(report.violations)")
    }

    /// A quiet world in which VMs run; nothing is wrong with it until something is planted.
    private func run(_ plant: @escaping @Sendable (World) async throws -> Void) async throws -> WorldReport {
        var configuration = WorldConfiguration(seed: 9, duration: .seconds(3600))
        configuration.hostsPerCell = 4
        configuration.arrivalEvery = .seconds(5)
        configuration.faults = .init()
        configuration.endsWithBody = true
        return try await World.run(configuration) { world in
            do {
                repeat {
                    try await world.sleep(for: .seconds(10))
                } while try world.store.read { try $0.anyAllocation() } == nil
                await Judge(world: world).check()
                #expect(world.verdict.withLock { $0.violations.isEmpty })
                try await plant(world)
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}

extension MemoryState {
    /// The first host with devices on which a VM runs, and what runs there.
    fileprivate func anyAllocation() throws -> (row: HostRow, allocation: Allocation)? {
        let rows = hosts.values.filter { !$0.record.devices.isEmpty }
            .sorted { $0.record.name < $1.record.name }
        for row in rows {
            let live = allocations.live(onHost: row.record.id).compactMap { allocations[$0] }
            if let found = live.first(where: { $0.state == .active && $0.workload.kind == .vm }) {
                return (row, found)
            }
        }
        return nil
    }

    fileprivate func someAllocation() throws -> (row: HostRow, allocation: Allocation) {
        try #require(try anyAllocation())
    }

    /// What a commit does after it has checked.
    fileprivate mutating func give(_ row: inout HostRow, _ allocation: Allocation, _ id: ID<Allocation>) {
        var allocation = allocation
        allocation.id = id
        row.take(allocation)
        row.record.assignment += 1
        allocations.put(allocation)
    }
}
