import AgentProtocol
import Fleet
import Foundation
import Logging
import Store
import Testing
import VMPlacement

@testable import Control

/// A pipeline that goes by lifetimes, and another one that takes over from it.
@Suite struct LifetimeTests {
    private static let context = WriteContext(actor: "user/ann", verb: "create")
    /// Fleet seconds per second.
    private static let rate = 600.0

    private struct World {
        let clock = FixtureClock()
        let ids = CountedIDs()
        let store: MemoryStore
        let time: Timekeeper

        init() async throws {
            let clock = clock
            time = Timekeeper(
                now: { clock.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(5))) })
            store = MemoryStore(
                now: { clock.now }, pause: { try await Task.sleep(for: min($0, .milliseconds(5))) },
                fleetRate: LifetimeTests.rate)
            let pool = PoolSpec(cell: "a", admits: [.vm], placement: .lava, shadow: .firstFit)
            try await create(.cell, "a", CellSpec())
            try await create(.pool, "p", pool)
            try await create(.project, "team", ProjectSpec())
            try await store.createJoinToken(
                JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
                context: LifetimeTests.context)
            let names = ["h1", "h2", "h3"]
            let session = try await store.join(
                JoinSpending(
                    tokenHash: "t", session: ids.id(), name: "s", substrate: "simulated", hosts: names,
                    credentialHash: "c"))
            let inventory = HostInventory(
                capacity: Resources(milliCPU: 8000, memoryMiB: 8192), substrate: "simulated")
            _ = try await store.hello(
                SessionHello(
                    session: session,
                    hosts: names.map {
                        HostHello(name: $0, inventory: inventory, generation: nil, parts: [])
                    },
                    ids: ids, terms: .standard))
        }

        func create(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
            _ = try await store.create(
                [
                    DocumentDraft(
                        uid: ids.id(), kind: kind, project: kind == .vm ? "team" : nil, name: name,
                        spec: try DocumentJSON.encode(spec))
                ], context: LifetimeTests.context)
        }

        func createVM(_ name: String, hours: Int?, milliCPU: Int = 1000) async throws {
            try await create(
                .vm, name,
                VMSpec(
                    cell: "a", pool: "p", resources: Resources(milliCPU: milliCPU, memoryMiB: 64),
                    lifetimeHintSeconds: hours.map { $0 * 3600 }))
        }

        func setPlacement(_ placement: PoolSpec.Placement?) async throws {
            _ = try await store.update(
                .pool, project: nil, name: "p", precondition: .none, context: LifetimeTests.context
            ) { $0.spec = try DocumentJSON.encode(PoolSpec(cell: "a", admits: [.vm], placement: placement)) }
        }

        func wait(for pipeline: CellPipeline, until holds: (CellModel) -> Bool) async throws {
            while await !holds(pipeline.model) { try await Task.sleep(for: .milliseconds(2)) }
        }

        /// Runs a pipeline of its own until as many allocations are live; returns its model then.
        func plan(until live: Int, holder: String) async throws -> CellModel {
            try await run(holder) { pipeline in
                try await wait(for: pipeline) {
                    $0.allocations.count == live && $0.dirty.isEmpty && $0.pending.isEmpty
                }
                return await pipeline.model
            }
        }

        /// Runs a pipeline of its own beside `body`.
        func run<Answer: Sendable>(
            _ holder: String, _ body: (CellPipeline) async throws -> Answer
        ) async throws -> Answer {
            let lease = try #require(
                try await store.acquireLease(cell: "a", holder: holder, duration: .seconds(1)))
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let hub = FeedHub(store: store, time: time, logger: logger)
            let pipeline = CellPipeline(
                lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(),
                logger: logger)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await hub.run() }
                group.addTask { try await pipeline.run() }
                let answer = try await body(pipeline)
                group.cancelAll()
                while (try? await group.next()) != nil {}  // why: cancelled is how they end
                clock.advance(2)
                return answer
            }
        }
    }

    private static func states(_ model: CellModel) -> [ID<Document>: HostLifetime] {
        model.hosts.keys.reduce(into: [:]) { found, host in
            found[host] = model.placement.lifetime(of: host)
            // A prediction, made again when it is asked for.
            found[host]?.exit = nil
        }
    }

    @Test func anotherControllerGoesOnWithTheSameHosts() async throws {
        let world = try await World()
        try await world.createVM("long", hours: 50)
        try await world.createVM("short", hours: 4)
        let first = try await world.plan(until: 2, holder: "c1")
        try await world.createVM("full", hours: 50, milliCPU: 7000)
        try await world.createVM("plain", hours: nil)
        let second = try await world.plan(until: 4, holder: "c2")
        let third = try await world.plan(until: 4, holder: "c3")
        #expect(Self.states(third) == Self.states(second))
        #expect(third.placement.classAccuracy == second.placement.classAccuracy)
        let opened = try #require(Self.states(first).values.first { $0.state == .open })
        #expect(opened.class == .days)
        let made = try #require(opened.residents.map(\.startedAt).min())
        #expect(opened.deadline == made.advanced(by: .seconds(110 * 3600)))
        let kept = Self.states(third).values.filter { $0.class == .days }.map { Set($0.residents) }
        #expect(kept.contains { $0.isSuperset(of: opened.residents) })
        let now = FleetClock(try await world.store.clusterState()).time(at: world.clock.now)
        #expect(now.since(made).inSeconds >= Self.rate)
    }

    @Test func plansSayWhatThePoolWentByAndWhatAnotherPolicyWouldHaveDone() async throws {
        let world = try await World()
        for index in 0..<4 { try await world.createVM("v\(index)", hours: index % 2 == 0 ? 50 : 500) }
        _ = try await world.plan(until: 4, holder: "c1")
        let plans = Set(try await world.store.allocations(.live).compactMap(\.plan))
        var asked = 0
        for id in plans {
            let told = try #require(try await world.store.plan(id)?.report.lifetimes?.first)
            #expect(told.pool == "p" && told.policy == .lava && told.goesBy == .lava)
            #expect(told.classAccuracyPerMille == nil && told.shadow?.policy == .firstFit)
            asked += told.shadow?.asked ?? 0
        }
        #expect(asked == 4)
    }

    @Test func aPoolThatNoLongerGoesByLifetimesIsFollowed() async throws {
        var model = CellModel(name: "a")
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm], placement: .lava))
        #expect(model.needsLifetimes && model.mustFollowLifetimes)
        let world = try await World()
        let reading = try await LifetimeReading(of: "a", live: [], from: world.store)
        try model.followLifetimes(reading, now: world.clock.now)
        #expect(model.placement.tracksLifetimes && !model.mustFollowLifetimes)
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm], shadow: .nilas))
        #expect(!model.mustFollowLifetimes)
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm]))
        #expect(model.mustFollowLifetimes)
        try model.followLifetimes(nil, now: world.clock.now)
        #expect(!model.placement.tracksLifetimes)
    }

    /// Hosts and VMs that came and went while lifetimes were made ready on a copy are as if nobody had
    /// waited.
    @Test func whatHappensMeanwhileHappensToLifetimesThatAreMadeReady() async throws {
        let world = try await World()
        for (name, hours) in [("a", 50), ("b", 5), ("c", 500)] {
            try await world.createVM(name, hours: hours)
        }
        try await world.setPlacement(nil)
        var model = try await world.plan(until: 3, holder: "c1")
        let early = model.copyForLifetimes(1)
        #expect(!model.placement.tracksLifetimes && early == nil)
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm], placement: .lava))
        let taken = model.copyForLifetimes(2)
        let copy = try #require(taken)
        let second = model.copyForLifetimes(3)
        #expect(second == nil)

        world.clock.advance(10)
        var rows = model.allocations.values.sorted { $0.id < $1.id }
        rows[0].state = .released
        rows[0].releasedAt = world.clock.now
        model.drop(vm: rows[0].workload.uid)
        var moved = rows[1]
        moved.id = world.ids.id()
        moved.createdAt = world.clock.now
        rows[1].state = .released
        rows[1].releasedAt = world.clock.now
        var host = try #require(model.hosts.values.first)
        host.id = world.ids.id()
        host.name = "h9"
        moved.host = host.id
        model.put(host: host)
        for row in rows.prefix(2) { model.put(allocation: row) }
        model.put(allocation: moved)

        let ready = try await ReadyLifetimes(copy, from: world.store, now: world.clock.now)
        var other = model
        other.lifetimeJournal = LifetimeJournal(number: 1)
        other.adopt(ready)
        #expect(!other.placement.tracksLifetimes, "made on the copy of another model")
        model.adopt(ready)
        #expect(model.placement.tracksLifetimes && model.lifetimeJournal == nil)
        #expect(model.history.ended.count == 1)
        #expect(model.placement.lifetime(of: moved.host)?.residents.map(\.allocation) == [moved.id])
        for id in model.hosts.keys {
            let held = model.allocations(on: id).map(\.id)
            #expect(model.placement.lifetime(of: id)?.residents.map(\.allocation) == held)
            #expect(
                model.placement.lifetimes(on: id).map(\.lifetime.features.hintSeconds)
                    == held.map { held in
                        model.allocations[held].flatMap {
                            model.vms[$0.workload.uid]?.spec.lifetimeHintSeconds
                        }
                        .map(Double.init)
                    })
        }
    }

    @Test func aPipelineBeginsAndEndsToGoByLifetimes() async throws {
        let world = try await World()
        try await world.setPlacement(nil)
        try await world.createVM("a", hours: 50)
        try await world.run("c1") { pipeline in
            try await world.wait(for: pipeline) { $0.allocations.count == 1 }
            try await world.setPlacement(.lava)
            try await world.wait(for: pipeline) { $0.placement.tracksLifetimes }
            try await world.createVM("b", hours: 50)
            try await world.wait(for: pipeline) { $0.allocations.count == 2 }
            try await world.setPlacement(.bestFit)
            try await world.wait(for: pipeline) { !$0.placement.tracksLifetimes }
        }
        let plans = Set(try await world.store.allocations(.live).compactMap(\.plan))
        var policies: Set<String> = []
        for id in plans {
            let told = try await world.store.plan(id)?.report.lifetimes?.first
            policies.insert(told?.goesBy.rawValue ?? "none")
        }
        #expect(policies == ["none", "lava"])
    }

    /// Hints first; then what VMs of the cell lived, once they are enough.
    @Test func whatEndedIsLearnedFrom() {
        var history = LifetimeHistory()
        let features = VMFeatures(resources: Resources(milliCPU: 1000, memoryMiB: 64), project: "team")
        for index in 0..<LifetimeHistory.least {
            #expect(!history.isDue)
            history.add(.init(features: features, seconds: Double(100 + index), hasEnded: true))
        }
        #expect(history.isDue)
        let model = history.learn(running: []).model(.km)
        #expect(!history.isDue)
        #expect((100...150).contains(model.expectedRemaining(uptime: 0, of: features)))
        var hinted = features
        hinted.hintSeconds = 7200
        #expect(model.expectedRemaining(uptime: 0, of: hinted) > 7200)
        for _ in 0..<(2 * LifetimeHistory.most) {
            history.add(.init(features: features, seconds: 1, hasEnded: true))
        }
        #expect(history.ended.count <= LifetimeHistory.most)
    }

    @Test func beforeThePresentRateASecondIsASecond() {
        let origin = Timestamp(seconds: 1000)
        let clock = FleetClock(
            ClusterState(
                epoch: 1, schemaVersion: 0, quarantineUntil: nil, realOrigin: origin,
                fleetOrigin: Timestamp(seconds: 5000), fleetRate: 10))
        #expect(clock.time(at: origin.advanced(by: .seconds(6))) == Timestamp(seconds: 5060))
        #expect(clock.time(at: origin.advanced(by: .seconds(-6))) == Timestamp(seconds: 4994))
        #expect(FleetClock().time(at: origin) == origin)
    }
}
