import Oversubscription
import Testing

@Suite struct PowerGuardTests {
    /// Commands of a power that is a function of the second, sampled every two.
    private func run(
        _ powerGuard: inout PowerGuard, from start: Int = 0, seconds: Int, _ power: (Int) -> Double
    ) -> [PowerCommand] {
        stride(from: start, to: start + seconds, by: 2).flatMap { at in
            powerGuard.observe(power: power(at), at: at)
        }
    }

    private func brakes(_ commands: [PowerCommand]) -> [PowerCommand] {
        commands.filter { $0.action == .brake(true) }
    }

    /// From the second threshold, one latency of the steepest rise that it was made for never brakes.
    @Test(arguments: 1...11)
    func aRampWithinTheLatencyNeverBrakes(points: Int) {
        var powerGuard = PowerGuard()
        let commands = run(&powerGuard, seconds: 42) { at in
            0.89 + Double(points) / 100 * Double(at) / 40
        }
        #expect(brakes(commands).isEmpty)
        // High priority follows when low priority's clocks have shown what they do.
        #expect(
            commands.map(\.action) == [.clock(.low, megahertz: 1110), .clock(.high, megahertz: 1305)])
        #expect(commands.map(\.effectiveAt) == [40, 80])
    }

    /// A leap of 37.5 points, as training does, is seen with the next sample and braked five seconds on.
    @Test(arguments: [0.65, 0.79, 0.89])
    func aLeapBrakesWithinSevenSeconds(ground: Double) throws {
        var powerGuard = PowerGuard()
        _ = run(&powerGuard, seconds: 100) { _ in ground }
        // Between two samples.
        let commands = run(&powerGuard, from: 100, seconds: 10) { at in at < 101 ? ground : ground + 0.375 }
        let brake = try #require(brakes(commands).first)
        #expect(brake.effectiveAt - 101 <= 7)
        // What is to be in force when the brake is let go is under way, and high is never below low.
        #expect(powerGuard.rung == .brake)
    }

    /// 89 and 11.8 points are more than all: only what the first threshold has saved by then makes room.
    @Test func theSteepestKnownSpikeFitsByWhatTheFirstThresholdSaved() {
        let clocks = ClockTable.a100
        func peak(slowing: Bool) -> (peak: Double, brakes: Int) {
            var powerGuard = PowerGuard(
                slowing ? PowerSettings() : PowerSettings(first: 1e9, second: 1e9))
            var low = 1.0
            var pending: [PowerCommand] = []
            var greatest = 0.0
            var count = 0
            for at in stride(from: 0, to: 600, by: 2) {
                for command in pending where command.effectiveAt <= at {
                    if case .clock(.low, let clock) = command.action {
                        low = clock.map { 1 - 0.5 * (1 - clocks.at($0).power) } ?? 1
                    }
                }
                pending.removeAll { $0.effectiveAt <= at }
                // Five minutes at 89 % of what would be drawn, then the spike; half has low priority.
                let asked = 0.89 + 0.118 * Double(min(max(at - 300, 0), 40)) / 40
                let power = asked / 2 * low + asked / 2
                greatest = max(greatest, power)
                let commands = powerGuard.observe(power: power, at: at)
                count += brakes(commands).count
                pending += commands
            }
            return (greatest, count)
        }
        let guarded = peak(slowing: true)
        #expect(guarded.brakes == 0 && guarded.peak < 1)
        #expect(peak(slowing: false).brakes > 0)
    }

    @Test func priorityDecidesWhoIsSlowedFirst() {
        var powerGuard = PowerGuard()
        let up = run(&powerGuard, seconds: 400) { at in at < 100 ? 0.82 : 0.92 }
        #expect(
            up.map(\.action) == [
                .clock(.low, megahertz: 1275), .clock(.low, megahertz: 1110),
                .clock(.high, megahertz: 1305),
            ])
        #expect(up.map(\.issuedAt) == [0, 100, 140])
        // Within the hysteresis nothing is undone.
        #expect(run(&powerGuard, from: 400, seconds: 400) { _ in 0.85 }.isEmpty)
        let down = run(&powerGuard, from: 800, seconds: 400) { at in at < 1000 ? 0.83 : 0.7 }
        #expect(
            down.map(\.action) == [
                .clock(.high, megahertz: nil), .clock(.low, megahertz: 1275), .clock(.low, megahertz: nil),
            ])
        #expect(down.map(\.issuedAt) == [800, 840, 1000])
    }

    @Test func theBrakeIsLetGoToTheSlowestClocks() {
        var powerGuard = PowerGuard()
        let up = powerGuard.observe(power: 1.2, at: 0)
        #expect(
            up.map(\.action) == [
                .brake(true), .clock(.low, megahertz: 1110), .clock(.high, megahertz: 1305),
            ])
        #expect(run(&powerGuard, from: 2, seconds: 200) { _ in 0.85 }.isEmpty)
        let down = run(&powerGuard, from: 202, seconds: 200) { _ in 0.79 }
        #expect(down.first?.action == .brake(false) && down.first?.after == .high)
        #expect(down.first?.issuedAt == 262)
    }

    /// Whatever the power: no group is told the opposite of what is still under way, low is never faster
    /// than high, and everything is braked as soon as it is above the provisioned.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func noPowerBreaksTheRules(seed: UInt64) {
        var random = LinearCongruence(seed: seed)
        var powerGuard = PowerGuard()
        var power = 0.7
        var clocks: [PowerPriority: Double] = [:]
        var effective: [PowerPriority: (at: Int, isSlower: Bool)] = [:]
        for at in stride(from: 0, to: 20_000, by: 2) {
            power = min(1.3, max(0.4, power + (Double(random.next() % 1000) / 1000 - 0.5) * 0.06))
            let commands = powerGuard.observe(power: power, at: at)
            if power > 1 { #expect(powerGuard.rung == .brake, "seed \(seed)") }
            for command in commands {
                guard case .clock(let priority, let clock) = command.action else { continue }
                let isSlower = (clock ?? 1410) < (clocks[priority] ?? 1410)
                // The brake may cross anything: what it prevents is the row's breaker.
                if let last = effective[priority], last.at > at, powerGuard.rung != .brake {
                    #expect(last.isSlower == isSlower, "seed \(seed) at \(at)")
                }
                clocks[priority] = clock
                effective[priority] = (command.effectiveAt, isSlower)
            }
            #expect((clocks[.high] ?? 1410) >= (clocks[.low] ?? 1410), "seed \(seed)")
        }
    }

    @Test func thresholdsComeFromTheGreatestRise() throws {
        let power = (0..<200).map { step in step == 100 ? 0.7 : 0.6 }
        let derived = try #require(PowerSettings().derived(from: power, stepSeconds: 2))
        #expect(abs(derived.second - 0.9) < 1e-12 && abs(derived.first - 0.81) < 1e-12)
        #expect(PowerSettings().derived(from: [0.5], stepSeconds: 2) == nil)
    }

    @Test func clocksLieOnStraightLines() {
        let table = ClockTable.a100
        #expect(table.at(1410).power == 1 && table.at(2000).speed == 1)
        #expect(table.at(100).speed == 0.2)
        #expect(abs(table.at(1260).power - 0.9) < 1e-12)
    }
}
