import AgentProtocol
import Fleet
import Logging
import Store
import Testing

@testable import Control

/// A ratio that rises by itself: what stops it, and the day on a few hosts that it begins with. Twenty hosts,
/// a store in memory, and a pipeline that runs.
@Suite struct TrialTests {
    /// Tells the pool the same days, but for the hours that a test makes of them.
    struct ToldUse: ScopeUsageSource {
        var hours = 1344
        var change: @Sendable ([Double]) -> [Double] = { $0 }

        func profiles(of scopes: [RateScope], cell: String, until: Timestamp) async throws
            -> [RateScope: ScopeProfile]
        {
            let hour = Int(until.microseconds / 3_600_000_000)
            var profile = RatePlannerTests.profile(hours: hours, endingAt: hour)
            profile.peaks = change(profile.peaks)
            return [TrialTests.pool: profile]
        }
    }

    static let pool = RateScope(.pool, "p")
    private static let context = WriteContext(actor: "user/ann", verb: "create")
    private static let hosts = 20

    let clock = FixtureClock()
    private let ids = CountedIDs()
    let store: MemoryStore
    private let pause: @Sendable (Duration) async throws -> Void = {
        try await Task.sleep(for: min($0, .milliseconds(5)))
    }

    init() {
        let clock = clock
        store = MemoryStore(now: { clock.now }, pause: pause)
    }

    /// A pool of hosts whose agent has said hello.
    private func join() async throws -> ID<AgentSession> {
        func draft(_ kind: Kind, _ name: String, _ spec: some Encodable) throws -> DocumentDraft {
            DocumentDraft(
                uid: ids.id(), kind: kind, project: kind.isTenant ? "team" : nil, name: name,
                spec: try DocumentJSON.encode(spec))
        }
        let rules = OversubscriptionRules(mode: .managed, ratioMaxPerMille: 1250, review: .never)
        _ = try await store.create(
            [
                try draft(.cell, "a", CellSpec()),
                try draft(.policy, "p", PolicySpec(type: .oversubscription, oversubscription: rules)),
                try draft(
                    .pool, "p",
                    PoolSpec(cell: "a", admits: [.vm], policies: PoolPolicies(oversubscription: "p"))),
                try draft(.project, "team", ProjectSpec()),
            ], context: Self.context)
        try await store.createJoinToken(
            JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
            context: Self.context)
        let names = (0..<Self.hosts).map { "h\($0)" }
        let session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: ids.id(), name: "s", substrate: "simulated", hosts: names,
                credentialHash: "c"))
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 8000, memoryMiB: 65_536), substrate: "simulated")
        _ = try await store.hello(
            SessionHello(
                session: session,
                hosts: names.map { HostHello(name: $0, inventory: inventory, generation: nil, parts: []) },
                ids: ids, terms: .standard))
        return session
    }

    /// Runs the cell's pipeline until the body is through.
    func running(
        _ use: ToldUse = ToldUse(), _ body: (ID<AgentSession>) async throws -> Void
    ) async throws {
        let session = try await join()
        let lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c1", duration: .seconds(10_000_000)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = clock
        let time = Timekeeper(now: { clock.now }, sleep: pause)
        let hub = FeedHub(store: store, time: time, logger: logger)
        let pipeline = CellPipeline(
            lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(), usage: use,
            logger: logger)
        try await live(session)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await pipeline.run() }
            try await body(session)
            group.cancelAll()
            while (try? await group.next()) != nil {}  // why: cancelled is how they end
        }
    }

    /// Lets hosts live through some hours, a bin at the beginning of each.
    ///
    /// - Parameter vms: by the hosts that they are on, with what they use of 1000 in each hour of the day.
    func live(
        _ session: ID<AgentSession>, hours: Int = 1, hot: Set<String> = [],
        vms: [String: (vm: ID<Document>, used: @Sendable (_ hour: Int) -> Int)] = [:]
    ) async throws {
        for _ in 0..<hours {
            let start = Int(clock.now.seconds) / 3600 * 3600
            let told = (0..<Self.hosts).map { index in
                let name = "h\(index)"
                let bin = HostBin(start: start, samples: 60, hotSamples: hot.contains(name) ? 60 : 0)
                let bins = vms[name].map { vm, used in
                    let now = used(start / 3600 % 24)
                    return UsageBin(
                        vm: vm, start: start, soldMilliCPU: 1000, meanMilliCPU: now, p90MilliCPU: now,
                        maxMilliCPU: now)
                }
                return HostUsage(
                    name: name, rung: .observe, signals: UsageSignals(use: 0.5),
                    bins: bins.map { [$0] } ?? [], hostBins: [bin])
            }
            _ = try await store.takeUsage(told, session: session)
            clock.advance(3600)
            _ = try await store.rollUpUsage(settle: .zero)
        }
    }

    private func ratios() async throws -> [Int] {
        try await store.hosts(.all).map(\.room.cpuRatioPerMille).sorted()
    }

    /// Lets seconds pass until something holds.
    private func until(_ what: Comment, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<2000 {
            if try await holds() { return }
            clock.advance(1)
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record(what)
    }

    private func told(_ reason: Reason) async throws -> [String] {
        try await store.events(EventQuery(kind: .pool, name: "p", limit: 100))
            .filter { $0.reason == reason }.map(\.message)
    }

    @Test func aRatioIsTriedForADayOnATwentiethAndThenSoldByAll() async throws {
        try await running { session in
            try await until("a trial begins") { try await !store.trials().isEmpty }
            let trial = try #require(try await store.trials().first)
            #expect(trial.hosts.count == 1 && trial.ratioPerMille == 1250)
            #expect(try await ratios() == Array(repeating: 1000, count: Self.hosts - 1) + [1250])
            try await live(session, hours: 22)
            // A scope whose ratio is tried goes on with it: seconds pass, and nothing happens.
            clock.advance(5)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await store.trials() == [trial])
            try await live(session, hours: 3)
            try await until("all hosts go by the ratio") { try await ratios().first == 1250 }
            #expect(try await store.trials().isEmpty)
            let decision = try #require(try await store.decisions(DecisionQuery(id: trial.decision)).first)
            #expect(decision.state == .applied || decision.state == .superseded)
            let raised = try await told(.ratioRaised)
            #expect(raised.count == 2 && raised.first?.contains("on 1 of 20 hosts for 24 h") == true)
            #expect(raised.last?.contains("after a day on \(trial.hosts[0])") == true, "\(raised)")
        }
    }

    @Test func aTrialThatIsHotIsTakenBack() async throws {
        try await running { session in
            try await until("a trial begins") { try await !store.trials().isEmpty }
            let trial = try #require(try await store.trials().first)
            try await live(session, hours: 3, hot: Set(trial.hosts))
            try await until("the ratio is taken back") { try await !told(.ratioRolledBack).isEmpty }
            #expect(
                try await told(.ratioRolledBack).first == "1250/1000 is taken back, 1000/1000 stays: canary")
            let decision = try #require(try await store.decisions(DecisionQuery(id: trial.decision)).first)
            #expect(decision.state == .rolledBack && decision.closedAt != nil)
            // Another may be tried by now, on one host again.
            #expect(try await !store.trials().contains { $0.decision == trial.decision })
            #expect(try await ratios().dropLast() == Array(repeating: 1000, count: Self.hosts - 1))
        }
    }

    /// Waits until the pool's ratio is held back, and sees that nothing is tried.
    private func isHeld(_ note: ScopeDecision.Note) async throws {
        try await until("the ratio is held") { try await !told(.ratioHeld).isEmpty }
        let latest = try #require(
            try await store.decisions(DecisionQuery(scope: Self.pool, limit: 1)).first)
        #expect(latest.state == .proposed && !latest.isCard && latest.evidence.notes.contains(note))
        #expect(try await store.trials().isEmpty)
        #expect(try await ratios() == Array(repeating: 1000, count: Self.hosts))
    }

    @Test func withFewerThanTwoHundredResidualsARatioIsHeld() async throws {
        try await running(ToldUse(hours: 400)) { _ in try await isHeld(.fewResiduals) }
    }

    @Test func aWorldThatChangesHoldsARatio() async throws {
        // Every hour of the last day is busier than any before.
        let climbing = ToldUse { peaks in
            let steady = peaks.dropLast(24)
            return steady + (1...24).map { 0.42 + 0.014 * Double($0) }
        }
        try await running(climbing) { _ in try await isHeld(.drift) }
    }

    @Test func aHostThatWasHotWithinADayHoldsARatio() async throws {
        try await running { session in
            try await until("a trial begins") { try await !store.trials().isEmpty }
            let note = GuardNote(
                at: clock.now, before: .observe, after: .observe, cause: .hot, message: "run delay")
            _ = try await store.takeUsage(
                [HostUsage(name: "h7", rung: .observe, signals: UsageSignals(use: 1), notes: [note])],
                session: session)
            try await until("the ratio is taken back") { try await !told(.ratioRolledBack).isEmpty }
            #expect(try await told(.ratioRolledBack).first?.hasSuffix("guardEvent") == true)
            clock.advance(3600)
            try await isHeld(.guarded)
        }
    }

    @Test func aBurntBudgetHoldsARatio() async throws {
        try await running { session in
            try await until("a trial begins") { try await !store.trials().isEmpty }
            let tried = try #require(try await store.trials().first?.hosts.first)
            // Half of a day of all others: of a month's hundredth that is more than all.
            let others = Set((0..<Self.hosts).map { "h\($0)" }).subtracting([tried])
            try await live(session, hours: 12, hot: others)
            try await until("the trial is given up") { try await !told(.ratioRolledBack).isEmpty }
            #expect(try await told(.ratioRolledBack).first?.hasSuffix("budget") == true)
            clock.advance(3600)
            try await isHeld(.budget)
        }
    }
}

// MARK: What guards ask for

extension TrialTests {
    private func told(
        _ host: String, _ session: ID<AgentSession>, _ note: GuardNote
    ) async throws {
        let use = HostUsage(name: host, rung: .evict, signals: UsageSignals(use: 1), notes: [note])
        _ = try await store.takeUsage([use], session: session)
    }

    /// Lets the pipeline find a place for a new VM of one vCPU.
    func place(_ name: String, _ word: WorkloadClass) async throws -> Allocation {
        var spec = VMSpec(cell: "a", resources: Resources(milliCPU: 1000, memoryMiB: 1024))
        spec.class = word
        let uid: ID<Document> = ids.id()
        _ = try await store.create(
            [
                DocumentDraft(
                    uid: uid, kind: .vm, project: "team", name: name,
                    finalizers: [Finalizer.allocations], spec: try DocumentJSON.encode(spec))
            ], context: Self.context)
        try await until("\(name) has a place") {
            try await !store.allocations(.workloads([uid])).isEmpty
        }
        return try #require(try await store.allocations(.workloads([uid])).first)
    }

    /// Says that a part runs, as its agent would.
    func starts(_ allocation: Allocation, _ session: ID<AgentSession>) async throws {
        let part = PartReport(
            host: try #require(try await store.hosts(.ids([allocation.host])).first).name,
            allocation: allocation.id, generation: Generation(epoch: 1, number: 1), state: .running)
        _ = try await store.report(
            SessionReport(session: session, incarnation: 1, sequence: 1, parts: [part], unreachable: []))
    }

    /// A guard that has nothing left to hold back or to move asks that a spot VM stops; one that is no spot VM
    /// it is not believed about.
    @Test func aSpotVMStopsAsItsGuardAsksAndNoOtherDoes() async throws {
        try await running { session in
            for (name, word) in [("spare", WorkloadClass.spot), ("paid", .standard)] {
                let allocation = try await place(name, word)
                let host = try #require(try await store.hosts(.ids([allocation.host])).first)
                let note = GuardNote(
                    at: clock.now, before: .migrate, after: .evict, cause: .hot,
                    message: "asks that team/\(name) stops: run delay too high (run delay 31 %)",
                    ask: GuardAsk(.evict, allocation.id))
                try await told(host.name, session, note)
                try await until("the guard is answered") { try await store.guardAsks(cell: "a").isEmpty }
                let after = try #require(try await store.allocations(.ids([allocation.id])).first)
                #expect((after.state == .releasing || after.state == .released) == (word == .spot))
            }
        }
    }
}
