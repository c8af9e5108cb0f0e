import Fleet
import Foundation
import Logging
import Store
import Testing

@testable import Control

/// The reconciler of groups on a store in memory.
@Suite struct ReconcilerTests {
    private static let start = Timestamp(microseconds: 1_700_000_000_000_000)
    private static let context = WriteContext(actor: "user/ann", verb: "create")

    private let store = MemoryStore(
        now: { Self.start }, pause: { try await Task.sleep(for: $0) })
    private let ids = CountedIDs()
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private var time: Timekeeper { Timekeeper(now: { Self.start }, sleep: { try await Task.sleep(for: $0) }) }

    private func create(
        _ kind: Kind, _ name: String, _ spec: some Encodable, status: some Encodable = [String: String](),
        project: String? = nil
    ) async throws {
        let draft = DocumentDraft(
            uid: ids.id(), kind: kind, project: project, name: name,
            finalizers: kind == .vmGroup ? [Finalizer.members] : [],
            spec: try DocumentJSON.encode(spec), status: try DocumentJSON.encode(status))
        _ = try await store.create([draft], context: Self.context)
    }

    /// Cells `a` with five hosts of one member's size and `b` with three of two members'.
    private func fill() async throws {
        try await create(.project, "team", ProjectSpec())
        for (cell, hosts, milliCPU) in [("a", 5, 4000), ("b", 3, 8000)] {
            try await create(.cell, cell, CellSpec())
            try await create(.pool, "p\(cell)", PoolSpec(cell: cell, admits: [.vm]))
            let inventory = HostInventory(
                capacity: Resources(milliCPU: milliCPU, memoryMiB: 8192), substrate: "simulated")
            for number in 0..<hosts {
                try await create(
                    .host, "\(cell)\(number)", HostSpec(cell: cell, pool: "p\(cell)"),
                    status: HostStatus(inventory: inventory, contact: .ready, conditions: []))
            }
        }
    }

    private func createGroup(
        _ name: String, replicas: Int, _ separation: VMGroupSpec.Separation? = nil
    ) async throws {
        let template = VMTemplate(spec: VMSpec(resources: Resources(milliCPU: 4000, memoryMiB: 64)))
        try await create(
            .vmGroup, name,
            VMGroupSpec(
                replicas: replicas, placement: .all, antiAffinity: separation, template: template),
            project: "team")
    }

    /// Runs the reconciler until the body is through.
    private func reconciling(_ body: @Sendable () async throws -> Void) async throws {
        let lease = try #require(
            try await store.acquireLease(
                cell: CellsReconciler.leaseName, holder: "c1", duration: .seconds(3600)))
        let hub = FeedHub(store: store, time: time, logger: logger)
        let reconciler = VMGroupsReconciler(
            lease: lease, store: store, hub: hub, ids: ids, time: time, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await reconciler.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// The group's status and its members, once the condition holds.
    private func group(
        _ name: String, _ condition: (VMGroupStatus, [VMRecord]) -> Bool
    ) async throws -> (status: VMGroupStatus, members: [VMRecord]) {
        var seen: UInt64 = 0
        for _ in 0..<200 {
            seen = try await store.waitForChange(after: seen, timeout: .milliseconds(200))
            guard let found = try await store.document(.vmGroup, project: "team", name: name) else {
                continue
            }
            let record = try VMGroupRecord(found)
            let members = try await store.members(of: [found.metadata.uid]).map(VMRecord.init)
            if condition(record.status, members) { return (record.status, members) }
        }
        Issue.record("\(name) did not become as wanted")
        return (VMGroupStatus(), [])
    }

    @Test func everyMemberOfAGangIsInTheOneCellThatTakesAll() async throws {
        try await fill()
        // Six fit b, two to a host; a has room for five. Apart by host only a has five.
        try await createGroup("close", replicas: 6)
        try await createGroup("apart", replicas: 5, .host)
        try await createGroup("large", replicas: 9)
        try await reconciling {
            let close = try await group("close") { $0.replicas == 6 && $1.count == 6 }
            #expect(close.status.cell == "b" && close.members.allSatisfy { $0.status.cell == "b" })
            #expect(close.members.map(\.metadata.name) == (0..<6).map { "close-\($0)" })
            let apart = try await group("apart") { $0.replicas == 5 && $1.count == 5 }
            #expect(apart.members.allSatisfy { $0.status.cell == "a" && $0.spec.cell == nil })
            #expect(
                apart.members.allSatisfy {
                    $0.spec.antiAffinity == AntiAffinity(group: "apart", scope: .host)
                        && $0.metadata.labels == [GroupMembership.label: "apart"]
                })
            let large = try await group("large") { status, _ in
                status.conditions.contains { $0.reason == .noCellFits }
            }
            #expect(large.members.isEmpty && large.status.cell == nil && large.status.state == .pending)
            let told = try await store.events(EventQuery(reason: .noCellFits, limit: 10))
            #expect(told.map(\.name) == ["large"])
        }
    }

    @Test func whatACrashLeftIsGoneOnWith() async throws {
        try await fill()
        try await createGroup("ring", replicas: 3)
        // Members that were made, and no status that says so: their cell stands, though b has more room.
        let found = try #require(try await store.document(.vmGroup, project: "team", name: "ring"))
        let record = try VMGroupRecord(found)
        let lease = try #require(
            try await store.acquireLease(cell: "*", holder: "c1", duration: .seconds(9)))
        let made = try [0, 2].map { try record.member(ordinal: $0, uid: ids.id(), cell: "a") }
        let change = MemberChange(group: found.metadata.uid, generation: 1, made: made)
        let isDone = try await store.changeMembers(change, lease: lease, context: Self.context)
        #expect(isDone)
        try await reconciling {
            let ring = try await group("ring") { $0.replicas == 3 && $1.count == 3 }
            #expect(ring.status.cell == "a" && ring.members.allSatisfy { $0.status.cell == "a" })
            #expect(Set(ring.members.map(\.metadata.uid)).isSuperset(of: made.map(\.uid)))
        }
    }

    @Test func aLostLeaseEndsItWithNothingMade() async throws {
        try await fill()
        try await createGroup("ring", replicas: 3)
        let stale = try #require(
            try await store.acquireLease(cell: "*", holder: "c1", duration: .seconds(9)))
        try #require(try await store.acquireLease(cell: "*", holder: "c1", duration: .seconds(9)) != nil)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let reconciler = VMGroupsReconciler(
            lease: stale, store: store, hub: hub, ids: ids, time: time, logger: logger)
        await #expect(throws: StoreError.leaseLost(cell: "*")) { try await reconciler.run() }
        #expect(try await store.list(ListQuery(kind: .vm)).documents.isEmpty)
    }
}
