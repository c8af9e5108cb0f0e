import Foundation
import Oversubscription
import Testing

@Suite struct NodeGuardTests {
    private let settings = GuardSettings()

    private func vm(
        _ name: String, _ promise: GuardedVM.Promise, used: Double = 4, memory: Double = 8
    ) -> GuardedVM {
        GuardedVM(name: name, promise: promise, cores: 8, used: used, memoryGiB: memory)
    }

    private func reading(
        at: Int, use: Double = 0.5, pressure: Double = 0, runDelay: Double = 0, vms: [GuardedVM] = []
    ) -> HostReading {
        HostReading(
            signals: HostSignals(at: at, use: use, pressure: pressure, runDelay: runDelay), cores: 32,
            vms: vms)
    }

    private var neighbours: [GuardedVM] {
        [vm("g", .guaranteed), vm("s", .standard, memory: 4), vm("t", .standard, used: 6), vm("x", .spot)]
    }

    /// Feeds readings of a function of time, every interval, and gives back all events.
    private func run(
        _ nodeGuard: inout NodeGuard, from start: Int = 0, seconds: Int, _ reading: (Int) -> HostReading
    ) -> [GuardEvent] {
        stride(from: start, to: start + seconds, by: settings.intervalSeconds).flatMap { at in
            nodeGuard.observe(reading(at), now: at)
        }
    }

    @Test func aCalmHostIsLeftAlone() {
        var nodeGuard = NodeGuard(settings)
        let events = run(&nodeGuard, seconds: 3600) { reading(at: $0, use: 0.84, vms: neighbours) }
        #expect(events.isEmpty && nodeGuard.admits)
    }

    @Test func aHotHostIsFrozenThrottledMovedFromAndOnlyThenLosesVMs() {
        var nodeGuard = NodeGuard(settings)
        let events = run(&nodeGuard, seconds: 1500) {
            reading(at: $0, use: 1, runDelay: 0.3, vms: neighbours)
        }
        let actions = events.compactMap(\.action)
        #expect(actions.first == .freezeAdmissions && events[0].at == 0)
        guard case .throttle(let quotas) = actions[1] else {
            Issue.record("\(actions)")
            return
        }
        // 32 · 0.8 less 28 that others use leaves nothing: the least of its own eight.
        #expect(quotas == [VMQuota(name: "x", cores: 0.8)])
        // 5.76 are to be freed: t alone frees so much.
        #expect(actions[2] == .migrate("t"))
        #expect(actions.contains(.evict("x")))
        #expect(!actions.contains { $0 == .evict("g") || $0 == .migrate("g") || $0 == .evict("s") })
        #expect(events.allSatisfy { $0.hot.contains(.runDelay) && $0.signals != nil })
    }

    /// The square wave of the specification: a guard acts at most once per cool-down, whatever the period.
    @Test(arguments: [10, 35, 60, 120, 400, 900])
    func aSquareWaveGetsOneActionPerCoolDown(period: Int) {
        var nodeGuard = NodeGuard(settings)
        let events = run(&nodeGuard, seconds: 7200) { at in
            let isHigh = at / period % 2 == 0
            return reading(
                at: at, use: isHigh ? 0.9 : 0.3, pressure: isHigh ? 0.6 : 0, vms: neighbours)
        }
        let times = events.filter { $0.action != nil }.map(\.at)
        for (first, second) in zip(times, times.dropFirst()) {
            #expect(second - first >= settings.coolDownSeconds, "period \(period)")
        }
        // Pressure that lasts less than its limit asks for is no reason to act.
        #expect(events.isEmpty == (period < 30))
        // A host that is hot every other time is not let go in between.
        if period <= settings.holdSeconds { #expect(!events.contains { $0.action == .admit }) }
    }

    @Test func rungsAreLeftOneByOneAfterCalmAlone() {
        var nodeGuard = NodeGuard(settings)
        _ = run(&nodeGuard, seconds: 60) { reading(at: $0, use: 1, runDelay: 0.3, vms: neighbours) }
        #expect(nodeGuard.rung >= .migrate)
        // Between calm and hot nothing changes.
        let between = run(&nodeGuard, from: 60, seconds: 2000) { at in
            reading(at: at, use: 0.8, runDelay: 0.06, vms: neighbours)
        }
        #expect(between.allSatisfy { $0.cause == .regulation } && nodeGuard.rung >= .throttle)
        let calm = run(&nodeGuard, from: 2060, seconds: 1200) { reading(at: $0, vms: neighbours) }
        #expect(
            calm.filter { $0.cause == .calm }.map(\.after) == [.throttle, .freeze, .observe]
                && calm.last?.action == .admit)
        let times = calm.filter { $0.cause == .calm }.map(\.at)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= settings.holdSeconds })
        #expect(nodeGuard.standingQuotas.isEmpty)
    }

    @Test func quotasRiseSlowlyAndFallAtOnce() throws {
        var nodeGuard = NodeGuard(settings)
        _ = run(&nodeGuard, seconds: 20) { reading(at: $0, use: 1, runDelay: 0.3, vms: neighbours) }
        #expect(nodeGuard.standingQuotas.map(\.cores) == [0.8])
        let eased = run(&nodeGuard, from: 20, seconds: 240) { at in
            reading(at: at, use: 0.4, runDelay: 0.03, vms: neighbours)
        }
        let quotas = eased.compactMap { event -> Double? in
            guard case .throttle(let quotas) = event.action else { return nil }
            return quotas.first?.cores
        }
        #expect(quotas.count >= 2)
        for (first, second) in zip([0.8] + quotas, quotas) {
            // A tenth of eight cores per minute, seen every five seconds.
            #expect(second > first && second - first <= 0.8 * 70 / 60)
        }
    }

    @Test func silenceFreezesAndDoesNothingHarder() {
        var nodeGuard = NodeGuard(settings)
        _ = run(&nodeGuard, seconds: 10) { reading(at: $0, vms: neighbours) }
        #expect(nodeGuard.tick(now: 20).isEmpty)
        let events = nodeGuard.tick(now: 21)
        #expect(events.map(\.action) == [.freezeAdmissions] && events[0].cause == .stale)
        for now in stride(from: 30, to: 3600, by: 5) { #expect(nodeGuard.tick(now: now).isEmpty) }
        #expect(nodeGuard.rung == .freeze)
        // A reading that comes too late is none, however hot.
        #expect(nodeGuard.observe(reading(at: 3000, runDelay: 1, vms: neighbours), now: 3600).isEmpty)
        let back = run(&nodeGuard, from: 3600, seconds: 400) { reading(at: $0, vms: neighbours) }
        #expect(back.map(\.action) == [.admit])
    }

    @Test func silenceKeepsWhatWasDone() {
        var nodeGuard = NodeGuard(settings)
        _ = run(&nodeGuard, seconds: 30) { reading(at: $0, use: 1, runDelay: 0.3, vms: neighbours) }
        let rung = nodeGuard.rung
        #expect(rung >= .throttle)
        for now in stride(from: 30, to: 3600, by: 5) { #expect(nodeGuard.tick(now: now).isEmpty) }
        #expect(nodeGuard.rung == rung)
    }

    @Test func aGuardGoesOnWhereItsCodingWas() throws {
        var one = NodeGuard(settings)
        var events: [GuardEvent] = []
        var two = one
        var others: [GuardEvent] = []
        for at in stride(from: 0, to: 2000, by: 5) {
            let reading = reading(
                at: at, use: at < 700 ? 1 : 0.2, runDelay: at < 700 ? 0.4 : 0, vms: neighbours)
            events += one.observe(reading, now: at)
            let coded = try JSONEncoder().encode(two)
            two = try JSONDecoder().decode(NodeGuard.self, from: coded)
            others += two.observe(reading, now: at)
        }
        #expect(one == two && events == others && events.count > 5)
    }

    /// Whatever comes: one action per cool-down, guaranteed VMs are never named, spot alone are stopped, and
    /// only what has been frozen is throttled.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func noSequenceOfReadingsBreaksTheRules(seed: UInt64) {
        var random = LinearCongruence(seed: seed)
        func draw() -> Double { Double(random.next() % 1000) / 1000 }
        var nodeGuard = NodeGuard(settings)
        var now = 0
        var latestAction: Int?
        var rung = GuardRung.observe
        for _ in 0..<4000 {
            now += 1 + Int(random.next() % 9)
            let vms = neighbours.filter { _ in draw() < 0.8 }
            let isHot = draw() < 0.5
            let seen = reading(
                at: now - Int(random.next() % 20), use: draw(), pressure: isHot ? draw() : 0,
                runDelay: isHot ? draw() : 0, vms: vms)
            let events = draw() < 0.2 ? nodeGuard.tick(now: now) : nodeGuard.observe(seen, now: now)
            #expect(events.count <= 1, "seed \(seed)")
            for event in events {
                #expect(event.before == rung && event.after == nodeGuard.rung, "seed \(seed)")
                guard let action = event.action else { continue }
                if let latestAction {
                    #expect(now - latestAction >= settings.coolDownSeconds, "seed \(seed)")
                }
                latestAction = now
                check(action, event, seen.vms)
            }
            rung = nodeGuard.rung
        }
    }

    private func check(_ action: GuardAction, _ event: GuardEvent, _ vms: [GuardedVM]) {
        let promises = Dictionary(uniqueKeysWithValues: vms.map { ($0.name, $0.promise) })
        switch action {
        case .evict(let name): #expect(promises[name] == .spot)
        case .migrate(let name): #expect(promises[name] != nil && promises[name] != .guaranteed)
        case .throttle(let quotas): #expect(quotas.allSatisfy { promises[$0.name] == .spot })
        case .freezeAdmissions, .admit, .lift, .page: break
        }
        if event.cause == .stale { #expect(action == .freezeAdmissions) }
    }

    @Test func headroomIsWhatRisesWithinTheLatency() throws {
        let values = [0.1, 0.2, 0.5, 0.3, 0.3, 0.9, 0.2]
        #expect(Headroom.rises(values, within: 2).map { ($0 * 10).rounded() } == [4, 3, 0, 6, 6])
        let threshold = try #require(Headroom.threshold(values, latencySteps: 2, quantile: 1))
        #expect(abs(threshold - 0.4) < 1e-12)
        #expect(Headroom.threshold([0.5], latencySteps: 1, quantile: 1) == nil)
        #expect(GuardThresholds(hotUse: 0.4).hot.last?.value == 0.85)
        #expect(GuardThresholds(hotUse: 2).hot.last?.value == 0.95)
        // As counted one by one.
        var random = LinearCongruence(seed: 3)
        let many = (0..<500).map { _ in Double(random.next() % 1000) }
        let slow = (0..<(500 - 7)).map { start in (many[start...(start + 7)].max() ?? 0) - many[start] }
        #expect(Headroom.rises(many, within: 7) == slow)
    }
}
