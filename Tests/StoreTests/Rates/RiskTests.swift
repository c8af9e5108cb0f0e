import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Risk", .postgresServer)
struct RiskTests {
    /// Start of the hour in which scenes begin.
    private static let hour = 1_699_999_200
    private static let pool = RateScope(.pool, "p")
    private static let managed = #"{"cell":"a","admits":["vm"],"policies":{"oversubscription":"pool"}}"#

    private func told(
        _ name: String, _ rung: GuardLevel = .observe, notes: [GuardNote] = [], bins: [UsageBin] = [],
        hostBins: [HostBin]? = nil
    ) -> HostUsage {
        HostUsage(
            name: name, rung: rung, signals: UsageSignals(use: 0.5), notes: notes, bins: bins,
            hostBins: hostBins)
    }

    private func bin(_ vm: ID<Document>, _ index: Int, p90: Int, sold: Int = 1000) -> UsageBin {
        UsageBin(
            vm: vm, start: Self.hour + index * 300, soldMilliCPU: sold, meanMilliCPU: 100, p90MilliCPU: p90,
            maxMilliCPU: 900)
    }

    private func take(_ hosts: [HostUsage], _ scene: Scene) async throws {
        _ = try await scene.store.takeUsage(hosts, session: try await scene.session().id)
    }

    @Test("hours of scopes are the fullest bin of their shared VMs", arguments: StoreImplementation.all)
    func hours(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (one, two) = (
                try await scene.place("v1", lease: lease).workload.uid,
                try await scene.place("v2", on: "h2", lease: lease).workload.uid
            )
            let lived = [HostBin(start: Self.hour, samples: 60, hotSamples: 30)]
            try await take(
                [
                    told("h1", bins: [bin(one, 0, p90: 200), bin(one, 1, p90: 700)], hostBins: lived),
                    told(
                        "h2", bins: [bin(two, 0, p90: 600, sold: 3000), bin(two, 1, p90: 300, sold: 3000)],
                        hostBins: [HostBin(start: Self.hour, samples: 60, hotSamples: 29)]),
                ], scene)
            // A report whose answer was lost comes again.
            try await take([told("h1", hostBins: lived)], scene)
            #expect(try await scene.store.usageRolledTo() == nil)
            try await scene.advance(Double(Self.hour + 3600 + 900) - Scene.start.seconds)
            #expect(try await scene.store.rollUpUsage(settle: .seconds(1000)) == 0)
            #expect(try await scene.store.rollUpUsage() == 2)
            #expect(
                try await scene.store.usageRolledTo()
                    == Timestamp(seconds: Double(Self.hour + 3600)))
            let scopes = [Self.pool, RateScope(.cell, "a"), RateScope(.host, "h1"), RateScope(.pool, "none")]
            let since = Timestamp(seconds: Double(Self.hour))
            let found = try await scene.store.scopeHours(of: scopes, since: since)
            let whole = ScopeHour(
                start: Self.hour, usedMilliCPU: 1000, soldMilliCPU: 4000, largestMilliCPU: 3000, bins: 2,
                hotBins: 1, savedMilliCPU: 0)
            #expect(found[Self.pool] == [whole] && found[RateScope(.cell, "a")] == [whole])
            #expect(
                found[RateScope(.host, "h1")] == [
                    ScopeHour(
                        start: Self.hour, usedMilliCPU: 700, soldMilliCPU: 1000, largestMilliCPU: 1000,
                        bins: 1, hotBins: 1, savedMilliCPU: 0)
                ])
            #expect(found.count == 3)
            let later = since.advanced(by: .seconds(1))
            #expect(try await scene.store.scopeHours(of: scopes, since: later).isEmpty)
            try await scene.advance(3 * 86_400)
            try await take([told("h1")], scene)
            try await scene.store.keepUsage(
                bins: .seconds(86_400), hours: .seconds(86_400), scopes: .seconds(86_400))
            #expect(try await scene.store.scopeHours(of: scopes, since: since).isEmpty)
        }
    }

    @Test("days replace each other and go with their scope", arguments: StoreImplementation.all)
    func days(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            func day(_ day: Int, hot: Int) -> RiskDay {
                RiskDay(
                    day: day, bins: 288, hotBins: hot, predictedRisk: 0.0125, nominalMilliCPU: 800,
                    realizedMilliCPU: 300)
            }
            let none = RateScope(.pool, "none")
            try await scene.store.recordDays(
                [Self.pool: [day(5, hot: 1), day(4, hot: 0)], none: [day(4, hot: 9)]], lease: lease)
            try await scene.store.recordDays([Self.pool: [day(5, hot: 2)]], lease: lease)
            let found = try await scene.store.riskDays(of: [none, Self.pool], since: 4)
            #expect(found == [Self.pool: [day(4, hot: 0), day(5, hot: 2)]])
            #expect(try await scene.store.riskDays(of: [Self.pool], since: 5)[Self.pool]?.count == 1)
            let lost = CellLease(cell: "a", token: lease.token + 1)
            await #expect(throws: StoreError.self) {
                try await scene.store.recordDays([Self.pool: [day(6, hot: 0)]], lease: lost)
            }
        }
    }

    private func approved(_ scene: Scene, _ ratio: Int) -> ScopeDecision {
        ScopeDecision(
            id: scene.ids.id(), cell: "a", scope: Self.pool, state: .approved, windowStart: Scene.start,
            windowSeconds: 3600, generation: 0, ratioPerMille: ratio, priorRatioPerMille: 1000,
            evidence: .init(
                policy: PolicyVersion(name: "pool", version: 1), algorithm: .protoRate, inputsHash: "h",
                predictedPeak: 0.25, risk: 0.01, benefitMilliCPU: 500, milliCPU: 1000),
            createdAt: Scene.start)
    }

    @Test("a trial moves its hosts alone, until it is over", arguments: StoreImplementation.all)
    func trials(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let rules = OversubscriptionRules(mode: .managed)
            try await scene.create(
                .policy, "pool", spec: PolicySpec(type: .oversubscription, oversubscription: rules))
            try await scene.update(.pool, "p") { $0.spec = Self.managed }
            func ratios() async throws -> [Int] {
                [
                    try await scene.host("h1").room.cpuRatioPerMille,
                    try await scene.host("h2").room.cpuRatioPerMille,
                ]
            }
            let words = EventWords(.ratioRaised, "tried")
            let tried = [try await scene.host("h2").id]
            func begin(_ decision: ScopeDecision) async throws -> Bool {
                try await scene.store.beginTrial(
                    of: decision.id, on: tried, startedAt: Scene.start, event: words, lease: lease)
            }
            let first = approved(scene, 1250)
            #expect(try await begin(first) == false)
            #expect(try await scene.store.decide(.init(decision: first, reason: nil), lease: lease))
            let before = try await scene.host("h2").generation
            #expect(try await begin(first))
            #expect(try await begin(first) == false)
            #expect(try await ratios() == [1000, 1250])
            #expect(try await scene.host("h2").generation == before + 1)
            let trial = RateTrial(
                decision: first.id, scope: Self.pool, ratioPerMille: 1250, hosts: ["h2"],
                startedAt: Scene.start)
            #expect(try await scene.store.trials() == [trial])
            let back = EventWords(.ratioRolledBack, "hot")
            #expect(try await scene.store.withdraw(first.id, event: back, lease: lease))
            #expect(try await scene.store.withdraw(first.id, event: back, lease: lease) == false)
            #expect(try await ratios() == [1000, 1000])
            #expect(try await scene.store.trials().isEmpty)
            #expect(try await scene.store.decisions(DecisionQuery(id: first.id)).first?.state == .rolledBack)

            var second = approved(scene, 1500)
            #expect(try await scene.store.decide(.init(decision: second, reason: nil), lease: lease))
            #expect(try await begin(second))
            second.state = .applied
            #expect(try await scene.store.decide(.init(decision: second, reason: nil), lease: lease))
            #expect(try await ratios() == [1500, 1500])
            #expect(try await scene.store.trials().isEmpty)
            let told = try await scene.events(kind: .pool, name: "p").map(\.message)
            #expect(told.suffix(3) == ["tried", "hot", "tried"])
        }
    }

    @Test("what a guard asks for is known until it is done", arguments: StoreImplementation.all)
    func asks(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("v1", lease: lease)
            func note(_ verb: GuardAsk.Verb, _ message: String) -> GuardNote {
                GuardNote(
                    at: Scene.start, before: .throttle, after: .migrate, cause: .hot, message: message,
                    ask: GuardAsk(verb, placed.id))
            }
            func asks() async throws -> [GuardAskRecord] { try await scene.store.guardAsks(cell: "a") }
            // A host is not believed about what runs elsewhere.
            try await take([told("h2", .migrate, notes: [note(.evict, "no")])], scene)
            #expect(try await asks().isEmpty)
            try await take([told("h1", .migrate, notes: [note(.evict, "a"), note(.migrate, "b")])], scene)
            let open = try await asks()
            #expect(open.map(\.ask) == [GuardAsk(.migrate, placed.id)] && open.map(\.message) == ["b"])
            #expect(open.map(\.host) == [placed.host])
            let guards = try await scene.store.hostGuards()
            #expect(guards.allSatisfy { $0.actedAt == $0.at })
            try await scene.store.closeGuardAsks([placed.id], lease: lease)
            #expect(try await asks().isEmpty)
            try await scene.advance(1)
            try await take([told("h1", .evict, notes: [note(.evict, "c")])], scene)
            #expect(try await asks().map(\.message) == ["c"])
            try await scene.advance(1)
            try await take([told("h1", .observe)], scene)
            let calm = try await scene.store.hostGuards().first { $0.host == placed.host }
            #expect(calm.map { $0.actedAt == $0.at.advanced(by: .seconds(-1)) } == true)
        }
    }
}
