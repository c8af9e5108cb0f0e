import Fleet
import Store
import Testing

@Suite("Ratios", .postgresServer)
struct RateTests {
    private static let cell = #"{"policies":{"oversubscription":"cell"}}"#
    private static let pool = #"{"cell":"a","admits":["vm"],"policies":{"oversubscription":"pool"}}"#
    private static let host = #"{"cell":"a","pool":"p","policies":{"oversubscription":"host"}}"#
    private static let person = WriteContext(actor: "user/ann", verb: "constrain")

    private func create(_ scene: Scene, _ name: String, _ rules: OversubscriptionRules) async throws {
        try await scene.create(
            .policy, name, spec: PolicySpec(type: .oversubscription, oversubscription: rules))
    }

    private func set(_ scene: Scene, _ name: String, _ rules: OversubscriptionRules) async throws {
        let spec = try DocumentJSON.encode(PolicySpec(type: .oversubscription, oversubscription: rules))
        try await scene.update(.policy, name) { $0.spec = spec }
    }

    private func ratio(_ scene: Scene) async throws -> Int { try await scene.host().room.cpuRatioPerMille }

    @discardableResult
    private func constrain(
        _ scene: Scene, _ verb: ScopeConstraint.Verb, _ ratio: Int? = nil,
        on scope: RateScope = RateScope(.pool, "p"), for seconds: Double? = nil
    ) async throws -> ScopeConstraint {
        let now = try await scene.store.now()
        return try await scene.store.constrain(
            ScopeConstraint(
                id: scene.ids.id(), scope: scope, verb: verb, ratioPerMille: ratio, author: "",
                reason: "tests", createdAt: now, expiresAt: seconds.map { now.advanced(by: .seconds($0)) }),
            context: Self.person, isTrial: false)
    }

    private func decision(
        _ scene: Scene, _ ratio: Int, generation: Int = 0, state: ScopeDecision.State = .applied,
        asks: [ScopeDecision.Note] = [], isShadow: Bool = false
    ) -> ScopeDecision {
        ScopeDecision(
            id: scene.ids.id(), cell: "a", scope: RateScope(.pool, "p"), state: state,
            windowStart: Scene.start, windowSeconds: 3600, generation: generation, ratioPerMille: ratio,
            priorRatioPerMille: 1000, isShadow: isShadow,
            evidence: .init(
                policy: PolicyVersion(name: "pool", version: 1), algorithm: .protoRate, inputsHash: "h",
                predictedPeak: 0.25, risk: 0.01, benefitMilliCPU: 500, milliCPU: 1000),
            asks: asks, createdAt: Scene.start)
    }

    @Test("closed decisions are forgotten, and no others", arguments: StoreImplementation.all)
    func retention(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            for generation in 0..<3 {
                var next = decision(scene, 1100 + generation, generation: generation)
                next.windowStart = Scene.start.advanced(by: .seconds(generation * 3600))
                #expect(try await scene.store.decide(.init(decision: next, reason: nil), lease: lease))
            }
            func states() async throws -> [ScopeDecision.State] {
                try await scene.store.decisions(DecisionQuery()).map(\.state).sorted {
                    $0.rawValue < $1.rawValue
                }
            }
            #expect(try await states() == [.applied, .superseded, .superseded])
            try await scene.advance(7200)
            #expect(try await scene.store.keepDecisions(for: .seconds(7200)) == 0)
            #expect(try await scene.store.keepDecisions(for: .seconds(4000)) == 1)
            #expect(try await states() == [.applied, .superseded])
            try await scene.advance(86_400)
            #expect(try await scene.store.keepDecisions(for: .seconds(4000)) == 1)
            #expect(try await states() == [.applied])
            #expect(try await scene.store.scopeRates().map(\.ratioPerMille) == [1102])
        }
    }

    @Test("the nearest scope wins, and its end hands over to the next", arguments: StoreImplementation.all)
    func inheritance(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            for (name, ratio) in [("cell", 1500), ("pool", 2000), ("host", 3000)] {
                try await create(scene, name, .init(mode: .pinned, ratioPerMille: ratio))
            }
            let before = try await scene.host()
            try await scene.update(.cell, "a") { $0.spec = Self.cell }
            #expect(try await ratio(scene) == 1500)
            #expect(try await scene.host().generation == before.generation + 1)
            try await scene.update(.pool, "p") { $0.spec = Self.pool }
            #expect(try await ratio(scene) == 2000)
            try await scene.update(.host, "h1") { $0.spec = Self.host }
            #expect(try await ratio(scene) == 3000)
            #expect(try await scene.host("h2").room.cpuRatioPerMille == 2000)
            // A policy that ends, or only looks on, says nothing.
            let end = try await scene.store.now().advanced(by: .seconds(60))
            try await set(scene, "host", .init(mode: .pinned, ratioPerMille: 2500, expiresAt: end))
            #expect(try await ratio(scene) == 2500)
            try await set(scene, "pool", .init(mode: .shadow))
            #expect(try await scene.host("h2").room.cpuRatioPerMille == 1500)
            try await scene.advance(61)
            try await scene.store.followRates(lease: lease)
            #expect(try await ratio(scene) == 1500)
            try await scene.update(.cell, "a") { $0.spec = "{}" }
            #expect(try await ratio(scene) == 1000)
        }
    }

    @Test("a pool's own ratio counts where its policy does not", arguments: StoreImplementation.all)
    func plain(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            try await create(scene, "pool", .init(mode: .shadow, maxUtilizationPerMille: 500))
            try await scene.update(.pool, "p") {
                $0.spec = """
                    {"cell":"a","admits":["vm"],"cpuRatioPerMille":1250,"policies":{"oversubscription":"pool"}}
                    """
            }
            #expect(try await ratio(scene) == 1250)
            #expect(try await scene.host().room.maxUtilizationPerMille == nil)
            try await set(scene, "pool", .init(mode: .managed, ratioMinPerMille: 1100))
            #expect(try await ratio(scene) == 1100)
            #expect(try await scene.host().room.maxUtilizationPerMille == 1000)
            await #expect(throws: StoreError.inUse(kind: .policy, name: "pool", by: "Pool p")) {
                try await scene.delete(.policy, "pool")
            }
            try await scene.hello(
                try await scene.session().id, [scene.hostHello("h1"), scene.hostHello("h2")])
            #expect(try await scene.host("h2").room.cpuRatioPerMille == 1100)
        }
    }

    @Test("what people decide comes last, the safest of several", arguments: StoreImplementation.all)
    func people(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await create(scene, "pool", .init(mode: .pinned, ratioPerMille: 3000))
            try await scene.update(.pool, "p") { $0.spec = Self.pool }
            try await constrain(scene, .cap, 2500)
            try await constrain(scene, .cap, 9000, on: RateScope(.host, "h1"))
            #expect(try await ratio(scene) == 2500)
            let pin = try await constrain(scene, .pin, 4000, on: RateScope(.cell, "a"))
            #expect(try await ratio(scene) == 4000)
            #expect(pin.author == "user/ann")
            try await constrain(scene, .exclude, on: RateScope(.host, "h1"), for: 60)
            #expect(try await ratio(scene) == 1000)
            try await scene.advance(61)
            try await scene.store.followRates(lease: lease)
            #expect(try await ratio(scene) == 4000)
            let kill = try await constrain(scene, .kill)
            #expect(try await ratio(scene) == 1000)
            #expect(try await scene.store.constraints(ended: false).map(\.verb) == [.cap, .cap, .pin, .kill])
            try await scene.store.unconstrain(kill.id, reason: "r", context: Self.person, isTrial: false)
            try await scene.store.unconstrain(pin.id, reason: "r", context: Self.person, isTrial: false)
            #expect(try await ratio(scene) == 2500)
            await #expect(throws: StoreError.self) {
                try await scene.store.unconstrain(kill.id, reason: "r", context: Self.person, isTrial: false)
            }
            #expect(try await scene.store.constraints(ended: true).count == 5)
            let reasons = try await scene.events(kind: .pool, name: "p").map(\.reason)
            #expect(reasons.contains(.oversubscriptionStopped) && reasons.last == .constraintEnded)
            await #expect(throws: StoreError.notFound(kind: .pool, name: "none")) {
                try await constrain(scene, .kill, on: RateScope(.pool, "none"))
            }
        }
    }

    @Test("a trial changes nothing", arguments: StoreImplementation.all)
    func trial(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let asked = ScopeConstraint(
                id: scene.ids.id(), scope: RateScope(.pool, "p"), verb: .pin, ratioPerMille: 2000, author: "",
                reason: "tests", createdAt: Scene.start)
            _ = try await scene.store.constrain(asked, context: Self.person, isTrial: true)
            #expect(try await scene.store.constraints(ended: true) == [])
            #expect(try await ratio(scene) == 1000)
        }
    }

    @Test("of two decisions on one version exactly one is applied", arguments: StoreImplementation.all)
    func deciders(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await create(scene, "pool", .init(mode: .managed, ratioMaxPerMille: 1800))
            try await scene.update(.pool, "p") { $0.spec = Self.pool }
            let (one, two) = (decision(scene, 1500), decision(scene, 1600))
            async let first = scene.store.decide(.init(decision: one, reason: .ratioRaised), lease: lease)
            async let second = scene.store.decide(.init(decision: two, reason: .ratioRaised), lease: lease)
            let decided = try await [first, second]
            #expect(decided.count(where: \.self) == 1)
            #expect(try await ratio(scene) == (decided[0] ? 1500 : 1600))
            #expect(try await scene.events(.ratioRaised).count == 1)
            #expect(try await scene.store.decisions(DecisionQuery()).map(\.state) == [.applied])
            let next = decision(scene, 1900, generation: 1)
            #expect(
                try await scene.store.decide(
                    .init(decision: next, before: .rolledBack, reason: .ratioRolledBack), lease: lease))
            // Bounded by the policy, whatever was decided.
            #expect(try await ratio(scene) == 1800)
            let states = try await scene.store.decisions(DecisionQuery(scope: RateScope(.pool, "p")))
            #expect(states.map(\.state) == [.applied, .rolledBack])
            #expect(states.last?.closedAt != nil)
            let rate = try #require(try await scene.store.scopeRates().first)
            #expect(rate.ratioPerMille == 1900 && rate.generation == 2 && rate.decision == next.id)
            let lost = CellLease(cell: "a", token: lease.token - 1)
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                _ = try await scene.store.decide(
                    .init(decision: decision(scene, 1000, generation: 2), reason: nil), lease: lost)
            }
        }
    }

    @Test("a proposal waits for a person and is applied once", arguments: StoreImplementation.all)
    func proposals(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await create(scene, "pool", .init(mode: .managed))
            try await scene.update(.pool, "p") { $0.spec = Self.pool }
            let old = decision(scene, 1200, state: .proposed, asks: [.first])
            let card = decision(scene, 1300, state: .proposed, asks: [.first])
            for proposal in [old, card] {
                #expect(try await scene.store.decide(.init(decision: proposal, reason: nil), lease: lease))
            }
            #expect(try await ratio(scene) == 1000)
            let query = DecisionQuery(cell: "a", states: [.proposed])
            #expect(try await scene.store.decisions(query).map(\.id) == [card.id])
            let verb = WriteContext(actor: "user/ann", verb: "approve")
            #expect(
                try await scene.store.approve(old.id, reason: "r", context: verb, isTrial: false).state
                    == .superseded)
            #expect(
                try await scene.store.approve(card.id, reason: "r", context: verb, isTrial: true).state
                    == .approved)
            #expect(try await scene.store.decisions(query).count == 1)
            let approved = try await scene.store.approve(card.id, reason: "r", context: verb, isTrial: false)
            #expect(approved.state == .approved && approved.answeredBy == "user/ann")
            var applied = approved
            applied.state = .applied
            let change = RateChange(decision: applied, reason: .ratioRaised, message: "as approved")
            #expect(try await scene.store.decide(change, lease: lease))
            #expect(try await scene.store.decide(change, lease: lease) == false)
            #expect(try await ratio(scene) == 1300)
            let realized = ScopeDecision.Realized(peak: 0.2, hot: 0, savedMilliCPU: 300)
            try await scene.store.recordOutcomes([card.id: realized], lease: lease)
            #expect(try await scene.store.decisions(DecisionQuery(id: card.id)).first?.realized == realized)
            // An answer of another kind closes what is open.
            let late = decision(scene, 1700, generation: 1, state: .proposed, asks: [.drift])
            #expect(try await scene.store.decide(.init(decision: late, reason: nil), lease: lease))
            try await constrain(scene, .cap, 1250)
            #expect(try await scene.store.decisions(query) == [])
            #expect(try await ratio(scene) == 1250)
            await #expect(throws: StoreError.self) {
                _ = try await scene.store.approve(scene.ids.id(), reason: "r", context: verb, isTrial: false)
            }
        }
    }

    @Test("initial begins with the policy's ratio and is then on its own", arguments: StoreImplementation.all)
    func initial(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await create(scene, "pool", .init(mode: .initial, ratioPerMille: 1500))
            try await scene.update(.pool, "p") { $0.spec = Self.pool }
            #expect(try await ratio(scene) == 1500)
            let seed = decision(scene, 1500)
            #expect(try await scene.store.decide(.init(decision: seed, reason: .ratioRaised), lease: lease))
            try await set(scene, "pool", .init(mode: .initial, ratioPerMille: 4000))
            #expect(try await ratio(scene) == 1500)
        }
    }

    @Test("what is known of a scope goes with its document", arguments: StoreImplementation.all)
    func forgotten(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.pool, "q", spec: PoolSpec(cell: "a", admits: [.vm]))
            try await constrain(scene, .kill, on: RateScope(.pool, "q"))
            try await scene.delete(.pool, "q")
            #expect(try await scene.store.constraints(ended: true) == [])
        }
    }
}
