import AgentProtocol
import Fleet
import Logging
import Store
import Testing

@testable import Control

@Suite("Absent rows of the ledger")
struct LostLedgerTests {
    private static let context = WriteContext(actor: "user/ann", verb: "create")

    private static func document(
        _ kind: Kind, _ name: String, spec: some Encodable, status: VMStatus? = nil, ids: CountedIDs
    ) throws -> DocumentDraft {
        DocumentDraft(
            uid: ids.id(), kind: kind, project: kind == .vm ? "team" : nil, name: name,
            spec: try DocumentJSON.encode(spec), status: try status.map(DocumentJSON.encode) ?? "{}")
    }

    @Test("a VM whose allocation the ledger lost is not started a second time")
    func lostAllocation() async throws {
        let (clock, ids) = (FixtureClock(), CountedIDs())
        let store = MemoryStore(
            now: { clock.now }, pause: { try await Task.sleep(for: min($0, .milliseconds(5))) })
        let running = VMStatus(
            state: .running, cell: "a", host: "h1", allocation: ID(ids.next()), scheduledAt: clock.now)
        let spec = VMSpec(cell: "a", resources: Resources(milliCPU: 1000, memoryMiB: 64))
        _ = try await store.create(
            [
                Self.document(.cell, "a", spec: CellSpec(), ids: ids),
                Self.document(.pool, "p", spec: PoolSpec(cell: "a", admits: [.vm]), ids: ids),
                Self.document(.project, "team", spec: ProjectSpec(), ids: ids),
                Self.document(.vm, "lost", spec: spec, status: running, ids: ids),
                Self.document(.vm, "new", spec: spec, ids: ids),
            ], context: Self.context)
        try await store.createJoinToken(
            JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
            context: Self.context)
        let session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: ids.id(), name: "s", substrate: "simulated", hosts: ["h1"],
                credentialHash: "c"))
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 8000, memoryMiB: 8192), substrate: "simulated")
        _ = try await store.hello(
            SessionHello(
                session: session,
                hosts: [HostHello(name: "h1", inventory: inventory, generation: nil, parts: [])],
                ids: ids, terms: .standard))
        let lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c1", duration: .seconds(3600)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let time = Timekeeper(
            now: { clock.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(5))) })
        let hub = FeedHub(store: store, time: time, logger: logger)
        let pipeline = CellPipeline(
            lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await pipeline.run() }
            // The other VM shows that the pipeline has planned.
            while try await store.allocations(.live).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            group.cancelAll()
            while (try? await group.next()) != nil {}  // why: cancelled is how they end
        }
        #expect(try await store.allocations(.live).map(\.workload.name) == ["new"])
        let told = try await store.events(EventQuery(kind: .vm, reason: .allocationGone))
        #expect(told.map(\.name) == ["lost"])
        let kept = try #require(try await store.document(.vm, project: "team", name: "lost"))
        #expect(try DocumentJSON.decode(VMStatus.self, from: kept.status) == running)
    }
}
