import AgentProtocol
import Fleet
import Logging
import Store
import Synchronization
import Testing

@testable import Control

/// A deployment from its document to its routes, on a store in memory and an agent that a test plays.
@Suite struct ServingPipelineTests {
    /// Says what an agent would, host by host.
    private struct Fixture {
        let clock = FixtureClock()
        let ids = CountedIDs()
        let store: MemoryStore
        let session: ID<AgentSession>

        static let context = WriteContext(actor: "user/ann", verb: "create")
        static let pause: @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: min($0, .milliseconds(5)))
        }

        /// Two hosts with room for two replicas each.
        init() async throws {
            let (clock, ids) = (clock, ids)
            store = MemoryStore(now: { clock.now }, pause: Self.pause)
            _ = try await store.create(
                [
                    Self.draft(.cell, "a", CellSpec(), ids),
                    Self.draft(.pool, "p", PoolSpec(cell: "a", admits: [.serving]), ids),
                    Self.draft(.project, "team", ProjectSpec(), ids),
                ], context: Self.context)
            try await store.createJoinToken(
                JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
                context: Self.context)
            session = try await store.join(
                JoinSpending(
                    tokenHash: "t", session: ids.id(), name: "s", substrate: "process", hosts: ["h1", "h2"],
                    credentialHash: "c"))
            let inventory = HostInventory(
                capacity: Resources(milliCPU: 2000, memoryMiB: 1024), substrate: "process")
            _ = try await store.hello(
                SessionHello(
                    session: session,
                    hosts: ["h1", "h2"].map {
                        HostHello(name: $0, inventory: inventory, generation: nil, parts: [])
                    },
                    ids: ids, terms: .standard))
        }

        static func draft(
            _ kind: Kind, _ name: String, _ spec: some Encodable, _ ids: CountedIDs
        ) throws -> DocumentDraft {
            DocumentDraft(
                uid: ids.id(), kind: kind, project: kind.isTenant ? "team" : nil, name: name,
                finalizers: kind == .servingDeployment ? [Finalizer.allocations] : [],
                spec: try DocumentJSON.encode(spec))
        }

        static var spec: ServingDeploymentSpec {
            ServingDeploymentSpec(
                cell: "a", model: "tiny",
                shape: ServingModelShape(layers: 2, hidden: 64, heads: 1, feedForward: 128, vocabulary: 1000),
                demand: ServingDemand(requestsPerMinute: 600, promptTokens: 16, outputTokens: 32),
                maxStages: 1, resourcesPerDevice: Resources(milliCPU: 1000, memoryMiB: 256),
                run: RunSpec(command: ["engine", "--port", "{port}", "--model={model}"]))
        }

        func create(_ spec: ServingDeploymentSpec = spec) async throws {
            _ = try await store.create(
                [try Self.draft(.servingDeployment, "chat", spec, ids)], context: Self.context)
        }

        func status() async throws -> ServingDeploymentStatus {
            let found = try await store.document(.servingDeployment, project: "team", name: "chat")
            let resource = try #require(found)
            if resource.status == "{}" { return ServingDeploymentStatus() }
            return try DocumentJSON.decode(ServingDeploymentStatus.self, from: resource.status)
        }

        func allocations() async throws -> [Allocation] {
            try await store.allocations(.cell("a")).sorted { $0.workload.part < $1.workload.part }
        }

        /// Runs the pipeline of the cell as long as `body` takes.
        func running(_ body: (Fixture) async throws -> Void) async throws {
            let clock = clock
            let lease = try #require(
                try await store.acquireLease(cell: "a", holder: "c", duration: .seconds(36_000)))
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let time = Timekeeper(now: { clock.now }, sleep: Self.pause)
            let hub = FeedHub(store: store, time: time, logger: logger)
            let pipeline = CellPipeline(
                lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(),
                logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await hub.run() }
                group.addTask { try await pipeline.run() }
                try await body(self)
                group.cancelAll()
                while (try? await group.next()) != nil {}  // why: cancelled is how they end
            }
        }
    }

    private static func until(
        _ words: Comment, _ holds: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(120)
        while try await !holds() {
            try #require(ContinuousClock.now < end, words)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `a deployment gets replicas, each with its own port and command`() async throws {
        let fixture = try await Fixture()
        try await fixture.create()
        try await fixture.running { fixture in
            try await Self.until("replicas have their room") { try await fixture.allocations().count == 4 }
            let allocations = try await fixture.allocations()
            #expect(allocations.map(\.workload.part) == ["g1", "g2", "g3", "g4"])
            #expect(allocations.allSatisfy { $0.isGuaranteed && $0.resources.milliCPU == 1000 })
            let commands = allocations.compactMap { $0.task?.run?.command }
            #expect(commands.allSatisfy { $0.first == "engine" && $0.last == "--model=tiny" })
            // Two on each host: ports differ there.
            let status = try await fixture.status()
            let groups = try #require(status.plan?.groups)
            #expect(Set(groups.map(\.address)) == ["h1:8000", "h1:8001", "h2:8000", "h2:8001"])
            #expect(
                zip(groups, allocations).allSatisfy { group, allocation in
                    allocation.task?.run?.command[2] == group.address.suffix(4).description
                })
            // Nothing runs yet: nobody is sent there.
            #expect(status.routes == nil && status.state == .scheduled)
            #expect(try await fixture.store.planHead(cell: "a", engine: .serving) != nil)
        }
    }

    @Test func `a model that nobody knows and a field without room are told`() async throws {
        let fixture = try await Fixture()
        var spec = Fixture.spec
        spec.shape = nil
        try await fixture.create(spec)
        try await fixture.running { fixture in
            try await Self.until("the condition tells") {
                try await fixture.status().conditions.contains {
                    $0.type == .scheduled && $0.message.contains("no model \"tiny\"")
                }
            }
            #expect(try await fixture.allocations().isEmpty)
        }
    }
}
