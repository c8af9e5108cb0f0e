import AgentProtocol
import Fleet
import Logging
import Store
import Testing

@testable import Control

/// Ratios of a cell whose pipeline runs, on a store in memory.
@Suite struct RateReconcilerTests {
    /// Tells every scope the same days, up to the hour that is asked for.
    private struct SteadyUse: ScopeUsageSource {
        func profiles(of scopes: [RateScope], cell: String, until: Timestamp) async throws
            -> [RateScope: ScopeProfile]
        {
            let hour = Int(until.microseconds / 3_600_000_000)
            return scopes.reduce(into: [:]) { $0[$1] = RatePlannerTests.profile(endingAt: hour) }
        }
    }

    private static let context = WriteContext(actor: "user/ann", verb: "create")

    private let clock = FixtureClock()
    private let ids = CountedIDs()
    private let store: MemoryStore
    private let pause: @Sendable (Duration) async throws -> Void = {
        try await Task.sleep(for: min($0, .milliseconds(5)))
    }

    init() {
        let clock = clock
        store = MemoryStore(now: { clock.now }, pause: pause)
    }

    private func fill(_ rules: [String: OversubscriptionRules]) async throws {
        func draft(_ kind: Kind, _ name: String, _ spec: some Encodable) throws -> DocumentDraft {
            DocumentDraft(uid: ids.id(), kind: kind, name: name, spec: try DocumentJSON.encode(spec))
        }
        var drafts = [try draft(.cell, "a", CellSpec())]
        for (pool, rules) in rules.sorted(by: { $0.key < $1.key }) {
            drafts += [
                try draft(.policy, pool, PolicySpec(type: .oversubscription, oversubscription: rules)),
                try draft(
                    .pool, pool,
                    PoolSpec(cell: "a", admits: [.vm], policies: PoolPolicies(oversubscription: pool))),
                try draft(.host, "\(pool)-1", HostSpec(cell: "a", pool: pool)),
            ]
        }
        _ = try await store.create(drafts, context: Self.context)
    }

    /// Runs the cell's pipeline until the body is through.
    private func running(_ body: () async throws -> Void) async throws {
        let lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c1", duration: .seconds(10_000_000)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = clock
        let time = Timekeeper(now: { clock.now }, sleep: pause)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let pipeline = CellPipeline(
            lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(),
            usage: SteadyUse(), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await pipeline.run() }
            try await body()
            group.cancelAll()
            while (try? await group.next()) != nil {}  // why: cancelled is how they end
        }
    }

    private func ratio(_ pool: String) async throws -> Int? {
        try await store.hosts(.all).first { $0.pool == pool }?.room.cpuRatioPerMille
    }

    /// Waits for a decision of a pool.
    private func decision(
        _ pool: String, _ condition: (ScopeDecision) -> Bool
    ) async throws -> ScopeDecision {
        for _ in 0..<2000 {
            let found = try await store.decisions(DecisionQuery(scope: RateScope(.pool, pool)))
            if let match = found.first(where: condition) { return match }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw StoreError.notFound(kind: .pool, name: pool)
    }

    @Test func aPersonIsAskedOnceAndThenARatioRisesHourByHour() async throws {
        try await fill([
            "live": .init(mode: .managed), "look": .init(mode: .shadow),
            "begin": .init(mode: .initial, ratioPerMille: 1700),
        ])
        try await running {
            let card = try await decision("live") { $0.isCard }
            #expect(card.asks == [.first] && card.ratioPerMille == 1250 && card.priorRatioPerMille == 1000)
            #expect(try await ratio("live") == 1000)
            _ = try await decision("begin") { $0.state == .applied }
            let verb = WriteContext(actor: "user/bob", verb: "approve")
            _ = try await store.approve(card.id, reason: "looked", context: verb, isTrial: false)
            clock.advance(2)
            let first = try await decision("live") { $0.state == .applied }
            #expect(first.id == card.id && first.answeredBy == "user/bob")
            #expect(try await ratio("live") == 1250)

            clock.advance(1800)
            clock.advance(1801)
            // A pool of one host has none to try a ratio on, so that a person decides again.
            let next = try await decision("live") { $0.isCard && $0.generation == 1 }
            #expect(next.ratioPerMille == 1500 && next.asks == [.fewHosts])
            _ = try await store.approve(next.id, reason: "looked", context: verb, isTrial: false)
            clock.advance(2)
            let second = try await decision("live") { $0.state == .applied && $0.generation == 1 }
            #expect(second.windowStart.since(first.windowStart) >= .seconds(3600))
            #expect(try await ratio("live") == 1500)
            let shadow = try await decision("look") { $0.windowStart > card.windowStart }
            #expect(shadow.isShadow && shadow.state == .proposed && !shadow.isCard)
            #expect(try await ratio("look") == 1000)
            #expect(try await ratio("begin") == 1700)
        }
        let events = try await store.events(EventQuery(kind: .pool, name: "live", limit: 100)).map(\.reason)
        #expect(
            events.filter { $0 != .created } == [
                .ratioProposed, .ratioApproved, .ratioRaised, .ratioProposed, .ratioApproved, .ratioRaised,
            ])
        #expect(try await store.events(EventQuery(kind: .pool, name: "look", limit: 100)).count == 1)
    }

    @Test func whatPeopleSayBoundsWhatIsDecidedAndEndsInTime() async throws {
        try await fill(["live": .init(mode: .managed, review: .never)])
        try await running {
            _ = try await decision("live") { $0.state == .applied }
            #expect(try await ratio("live") == 1250)
            let cap = ScopeConstraint(
                id: ids.id(), scope: RateScope(.cell, "a"), verb: .cap, ratioPerMille: 1100, author: "",
                reason: "tests", createdAt: clock.now, expiresAt: clock.now.advanced(by: .seconds(60)))
            _ = try await store.constrain(cap, context: Self.context, isTrial: false)
            #expect(try await ratio("live") == 1100)
            let before = try await store.hosts(.all)[0].generation
            var seconds = 0
            while try await ratio("live") != 1250, seconds < 2000 {
                clock.advance(1)
                seconds += 1
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(seconds >= 60)
            #expect(try await ratio("live") == 1250)
            #expect(try await store.hosts(.all)[0].generation == before + 1)
        }
    }
}
