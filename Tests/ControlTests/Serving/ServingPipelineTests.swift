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

        /// Every part does what the ledger asks of it.
        ///
        /// - Parameter sequence: greater than that before.
        func act(_ sequence: Int) async throws {
            let names = Dictionary(
                try await store.hosts(.cell("a")).map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
            let parts = try await store.allocations(.live).compactMap { allocation -> PartReport? in
                let states: [Allocation.State: PartReport.State] = [
                    .reserved: .running, .releasing: .stopped,
                ]
                guard let state = states[allocation.state], let host = names[allocation.host] else {
                    return nil
                }
                return PartReport(
                    host: host, allocation: allocation.id, generation: Generation(epoch: 1, number: 1),
                    state: state)
            }
            _ = try await store.report(
                SessionReport(
                    session: session, incarnation: 1, sequence: sequence, parts: parts, unreachable: []))
        }

        /// A router tells of ten seconds.
        func tell(_ requests: Int, version: Int, underWay: [String: Int]? = nil) async throws {
            let found = try await store.document(.servingDeployment, project: "team", name: "chat")
            var classes = [Int](repeating: 0, count: ServingReport.firstByteBounds.count + 1)
            classes[0] = requests
            try await store.takeServing(
                ServingReport(
                    router: "edge", epoch: 1, version: version, seconds: 10, requests: requests, failed: 0,
                    promptTokens: 16, outputTokens: 32, firstBytes: classes, underWay: underWay),
                of: try #require(found).metadata.uid)
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

    @Test func `when more comes than planned for, routes follow, and nothing is started anew`() async throws {
        let fixture = try await Fixture()
        try await fixture.create()
        try await fixture.running { fixture in
            try await Self.until("replicas have their room") { try await fixture.allocations().count == 4 }
            let first = try await fixture.allocations()
            try await fixture.act(1)
            try await Self.until("all are routed to") {
                try await fixture.status().routes?.replicas.count == 4
            }
            let planned = try #require(try await fixture.status().plan)
            #expect(planned.demand == nil)
            // As planned: it is told, and changes nothing.
            let version = try #require(try await fixture.status().routes).version
            try await fixture.tell(100, version: version)
            fixture.clock.advance(11)
            try await Self.until("the observation is told") {
                try await fixture.status().observed?.version == version
            }
            try await Self.until("the plan is for what is observed") {
                try await fixture.tell(310, version: version)
                fixture.clock.advance(6)
                return try await fixture.status().plan?.demand != nil
            }
            let plan = try #require(try await fixture.status().plan)
            #expect(plan.demand == .init(requestsPerMinute: 1860, promptTokens: 16, outputTokens: 32))
            #expect(plan.groups.map(\.stages) == planned.groups.map(\.stages))
            #expect(plan.groups.map(\.address) == planned.groups.map(\.address))
            #expect(try await fixture.allocations().map(\.id) == first.map(\.id))
            #expect(try await fixture.allocations().allSatisfy { $0.state == .active })
        }
    }

    @Test func `a new command reaches one replica after another, each once routers left it`() async throws {
        let fixture = try await Fixture()
        try await fixture.create()
        try await fixture.running { fixture in
            try await Self.until("replicas have their room") { try await fixture.allocations().count == 4 }
            let first = try await fixture.allocations()
            try await fixture.act(1)
            try await Self.until("all are routed to") {
                try await fixture.status().routes?.replicas.count == 4
            }
            let old = try #require(try await fixture.status().routes).version
            try await fixture.tell(100, version: old)
            fixture.clock.advance(6)
            try await Self.until("the router is known") { try await fixture.status().observed != nil }
            _ = try await fixture.store.update(
                .servingDeployment, project: "team", name: "chat", precondition: .none,
                context: Fixture.context
            ) { resource in
                var spec = Fixture.spec
                spec.run = RunSpec(command: ["engine", "--new", "--port", "{port}"])
                resource.spec = try DocumentJSON.encode(spec)
            }
            // One at a time leaves the routes, and stops once the router follows.
            try await Self.until("routes without one of them") {
                try await fixture.status().routes?.replicas.count == 3
            }
            let active = try await fixture.allocations().filter { $0.state == .active }
            #expect(active.map(\.id) == first.map(\.id))
            try await Self.until("it is stopped") {
                try await fixture.tell(0, version: try #require(try await fixture.status().routes).version)
                fixture.clock.advance(6)
                return try await fixture.allocations().contains { $0.state == .releasing }
            }
            #expect(try await fixture.allocations().count { $0.state == .active } == 3)
            var sequence = 1
            try await Self.until("all run the new command") {
                sequence += 1
                try await fixture.act(sequence)
                let routes = try #require(try await fixture.status().routes)
                #expect(routes.replicas.count >= 3)
                try await fixture.tell(0, version: routes.version)
                fixture.clock.advance(6)
                let now = try await fixture.allocations()
                return now.count == 4
                    && now.allSatisfy { $0.state == .active && $0.task?.run?.command[1] == "--new" }
            }
            try await Self.until("all are routed to again") {
                try await fixture.status().routes?.replicas.count == 4
            }
        }
    }

    /// Four replicas that a router knows, of which two are on a host that will be taken away.
    private static func preempt(_ fixture: Fixture, after seconds: Int) async throws -> [String] {
        try await until("replicas have their room") { try await fixture.allocations().count == 4 }
        try await fixture.act(1)
        try await until("all are routed to") { try await fixture.status().routes?.replicas.count == 4 }
        try await fixture.tell(100, version: try #require(try await fixture.status().routes).version)
        fixture.clock.advance(6)
        try await until("the router is known") { try await fixture.status().observed != nil }
        let end = try await fixture.store.clusterState().fleetTime(at: fixture.clock.now)
            .advanced(by: .seconds(seconds))
        _ = try await fixture.store.update(
            .host, project: nil, name: "h1", precondition: .none, context: Fixture.context
        ) { resource in
            resource.spec = try DocumentJSON.encode(
                HostSpec(
                    cell: "a", pool: "p", draining: true, cordonReason: "spot",
                    drain: DrainSpec(deadline: end, atDeadline: .stop, force: true, purpose: .preemption)))
        }
        let groups = try #require(try await fixture.status().plan).groups
        return groups.filter { $0.hosts == ["h1"] }.map(\.name).sorted()
    }

    @Test func `replicas of a host that goes end what they have, and others take over`() async throws {
        let fixture = try await Fixture()
        try await fixture.create()
        try await fixture.running { fixture in
            let going = try await Self.preempt(fixture, after: 600)
            try #require(going.count == 2)
            try await Self.until("routes leave the host") {
                try await fixture.status().routes?.replicas.count == 2
            }
            var routes = try #require(try await fixture.status().routes)
            #expect(Set(routes.replicas.map(\.name)).isDisjoint(with: going))
            try await Self.until("a plan without the host") {
                try await fixture.status().plan?.groups.count == 2
            }
            // Both have requests; nothing is stopped for minutes, whatever is planned.
            routes = try #require(try await fixture.status().routes)
            try await fixture.tell(0, version: routes.version, underWay: [going[0]: 2, going[1]: 1])
            fixture.clock.advance(2)
            try await Self.until("it is told what is under way") {
                try await fixture.status().leaving?.map(\.underWay) == [2, 1]
            }
            #expect(try await fixture.status().leaving?.map(\.state) == [.draining, .draining])
            #expect(try await fixture.allocations().allSatisfy { $0.state == .active })
            try await fixture.tell(0, version: routes.version, underWay: [going[1]: 1])
            fixture.clock.advance(2)
            try await Self.until("one of them stops") {
                try await fixture.allocations().contains { $0.state == .releasing }
            }
            let stopped = try await fixture.allocations().filter { $0.state == .releasing }
            #expect(stopped.map(\.workload.part) == [going[0]])
            try await fixture.tell(0, version: routes.version, underWay: [:])
            fixture.clock.advance(2)
            var sequence = 1
            try await Self.until("both are gone") {
                sequence += 1
                try await fixture.act(sequence)
                let status = try await fixture.status()
                return try await fixture.allocations().count == 2 && status.leaving == nil
            }
        }
    }

    @Test func `what is under way when a host goes stops before`() async throws {
        let fixture = try await Fixture()
        try await fixture.create()
        try await fixture.running { fixture in
            let going = try await Self.preempt(fixture, after: 100)
            try await Self.until("a plan without the host") {
                try await fixture.status().plan?.groups.count == 2
            }
            let routes = try #require(try await fixture.status().routes)
            try await fixture.tell(0, version: routes.version, underWay: [going[0]: 1, going[1]: 1])
            fixture.clock.advance(2)
            try await Self.until("they are draining") {
                try await fixture.status().leaving?.map(\.underWay) == [1, 1]
            }
            #expect(try await fixture.allocations().allSatisfy { $0.state == .active })
            let deadline = try #require(try await fixture.status().leaving?.first?.deadline)
            fixture.clock.advance(Int(deadline.since(fixture.clock.now).inSeconds) + 1)
            try await Self.until("both stop") {
                try await fixture.allocations().count { $0.state == .releasing } == 2
            }
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
