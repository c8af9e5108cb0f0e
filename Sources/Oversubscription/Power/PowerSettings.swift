/// How a guard of a row's power acts, after POLCA (ASPLOS 2024).
public struct PowerSettings: Sendable, Hashable, Codable {
    /// Shares of the provisioned power at which low priority is slowed, and then slowed more.
    public var first: Double
    public var second: Double
    /// Above it, everything is braked.
    public var brake: Double
    /// By how much power has to fall below a threshold for it to be left.
    public var hysteresis: Double
    /// Clocks in MHz: of low priority at the first and at the second threshold, of high priority, and of all
    /// when braked.
    public var lowClock: Double
    public var lowerClock: Double
    public var highClock: Double
    public var brakeClock: Double
    /// Seconds from a clock's being set, out of band, to its effect.
    public var clockSeconds: Int
    /// The same of the brake.
    public var brakeSeconds: Int
    /// A brake lasts so long at least: what called for it has to pass, or it would come again at once.
    public var brakeHoldSeconds: Int

    public init(
        first: Double = 0.80, second: Double = 0.89, brake: Double = 1, hysteresis: Double = 0.05,
        lowClock: Double = 1275, lowerClock: Double = 1110, highClock: Double = 1305,
        brakeClock: Double = 288, clockSeconds: Int = 40, brakeSeconds: Int = 5, brakeHoldSeconds: Int = 60
    ) {
        self.first = first
        self.second = second
        self.brake = brake
        self.hysteresis = hysteresis
        self.lowClock = lowClock
        self.lowerClock = lowerClock
        self.highClock = highClock
        self.brakeClock = brakeClock
        self.clockSeconds = clockSeconds
        self.brakeSeconds = brakeSeconds
        self.brakeHoldSeconds = brakeHoldSeconds
    }

    /// The thresholds that a trace of a row asks for: the second leaves room for the greatest rise within the
    /// time that a clock takes, the first is 9 points below.
    ///
    /// - Parameters:
    ///   - power: shares of the provisioned power, at equal steps.
    ///   - stepSeconds: between them.
    /// - Returns: nil for a trace that is shorter than a clock takes.
    public func derived(from power: [Double], stepSeconds: Int) -> PowerSettings? {
        let steps = (clockSeconds + stepSeconds - 1) / stepSeconds
        guard let second = Headroom.threshold(power, latencySteps: steps, quantile: 1) else { return nil }
        var derived = self
        derived.second = second
        derived.first = second - 0.09
        return derived
    }

    func ladder() -> GuardLadder {
        GuardLadder([
            .init(.direct, settleSeconds: clockSeconds, holdSeconds: 0, landing: 0),
            .init(.direct, settleSeconds: clockSeconds, holdSeconds: 0, landing: 1),
            .init(.afterBelow, settleSeconds: clockSeconds, holdSeconds: 0, landing: 2),
            .init(.always, settleSeconds: brakeSeconds, holdSeconds: brakeHoldSeconds, landing: 3),
        ])
    }
}
