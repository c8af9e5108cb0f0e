import AgentProtocol
import Fleet
import Logging
import Store
import Synchronization
import Testing

@testable import Control

/// Lines of a pipeline name the plan or the operation that they are about.
@Suite struct PipelineLogTests {
    private final class Lines: Sendable {
        let written = Mutex<[(message: String, metadata: Logger.Metadata)]>([])

        func values(of key: String, in message: String) -> [String] {
            written.withLock { $0.filter { $0.message == message } }
                .compactMap { line in line.metadata[key].map { "\($0)" } }
        }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.written.withLock { $0.append((event.message.description, event.metadata ?? [:])) }
        }
    }

    private static let context = WriteContext(actor: "user/ann", verb: "create")

    private static func document(
        _ kind: Kind, _ name: String, _ spec: some Encodable, _ ids: CountedIDs
    ) throws -> DocumentDraft {
        DocumentDraft(
            uid: ids.id(), kind: kind, project: kind == .vm ? "team" : nil, name: name,
            spec: try DocumentJSON.encode(spec))
    }

    /// A cell with an empty host that is drained, another one, and a VM that waits.
    private static func fill(_ store: MemoryStore, _ ids: CountedIDs) async throws {
        let vm = VMSpec(cell: "a", resources: Resources(milliCPU: 1000, memoryMiB: 64))
        _ = try await store.create(
            [
                document(.cell, "a", CellSpec(), ids),
                document(.pool, "p", PoolSpec(cell: "a", admits: [.vm]), ids),
                document(.project, "team", ProjectSpec(), ids), document(.vm, "new", vm, ids),
            ], context: context)
        try await store.createJoinToken(
            JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
            context: context)
        let session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: ids.id(), name: "s", substrate: "simulated", hosts: ["h1", "h2"],
                credentialHash: "c"))
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 8000, memoryMiB: 8192), substrate: "simulated")
        _ = try await store.hello(
            SessionHello(
                session: session,
                hosts: ["h1", "h2"].map {
                    HostHello(name: $0, inventory: inventory, generation: nil, parts: [])
                },
                ids: ids, terms: .standard))
        _ = try await store.update(
            .host, project: nil, name: "h1", precondition: .none, context: context
        ) { host in
            var spec = try DocumentJSON.decode(HostSpec.self, from: host.spec)
            spec.draining = true
            host.spec = try DocumentJSON.encode(spec)
        }
    }

    @Test func `a plan and a drain are found by their ids`() async throws {
        let (clock, ids, lines) = (FixtureClock(), CountedIDs(), Lines())
        let pause: @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: min($0, .milliseconds(5)))
        }
        let store = MemoryStore(now: { clock.now }, pause: pause)
        try await Self.fill(store, ids)
        let operation = OperationRecord(
            id: ids.id(), verb: "host.drain", target: "h1", state: .running, message: "begins",
            createdAt: clock.now, updatedAt: clock.now)
        try await store.putOperation(operation, context: Self.context)
        let lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c1", duration: .seconds(3600)))
        let logger = Logger(label: "test") { _ in Handler(lines: lines) }
        let time = Timekeeper(now: { clock.now }, sleep: pause)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let pipeline = CellPipeline(
            lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await pipeline.run() }
            while lines.values(of: "operation", in: "operation ended").isEmpty
                || lines.values(of: "plan", in: "plan committed").isEmpty
            { try await Task.sleep(for: .milliseconds(5)) }
            group.cancelAll()
            while (try? await group.next()) != nil {}  // why: cancelled is how they end
        }
        #expect(lines.values(of: "operation", in: "operation ended") == [operation.id.description])
        let head = try #require(try await store.planHead(cell: "a", engine: .vmPlacement))
        #expect(lines.values(of: "plan", in: "plan committed").contains(head.description))
    }
}
