/// How far a guard of power has gone.
public enum PowerRung: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Nothing is held back.
    case free
    /// Low priority is slowed, then slowed more, and then high priority is slowed too.
    case low, lower, high
    /// Everything nearly halts.
    case brake

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Which servers of a row are slowed first.
public enum PowerPriority: String, Sendable, Hashable, Codable, CaseIterable {
    case low, high
}

/// What is asked of the servers of a row.
public struct PowerCommand: Sendable, Hashable, Codable {
    /// What is set.
    public enum Action: Sendable, Hashable, Codable {
        /// The clock of GPUs, in MHz; nil is as fast as they go.
        case clock(PowerPriority, megahertz: Double?)
        /// Of all servers, whatever their clocks.
        case brake(Bool)
    }

    public var action: Action
    /// Seconds; the effect comes at `effectiveAt`.
    public var issuedAt: Int
    public var effectiveAt: Int
    public var before: PowerRung
    public var after: PowerRung
    /// Share of the provisioned power that was seen.
    public var power: Double
}

/// Keeps a row within its provisioned power: low priority is slowed before high, and both before the brake.
///
/// It climbs and leaves the same ladder as the guard of cores, with other rungs.
public struct PowerGuard: Sendable, Hashable, Codable {
    public let settings: PowerSettings
    private var ladder: GuardLadder

    public init(_ settings: PowerSettings = .init()) {
        self.settings = settings
        ladder = settings.ladder()
    }

    public var rung: PowerRung { PowerRung(rawValue: ladder.level) ?? .brake }

    /// Takes a sample.
    ///
    /// - Parameters:
    ///   - power: share of the provisioned power.
    ///   - now: seconds, not less than in the call before.
    public mutating func observe(power: Double, at now: Int) -> [PowerCommand] {
        let before = rung
        guard ladder.step(at: now, calls: calls(power), permits: permits(power)) != nil else { return [] }
        var commands: [PowerCommand] = []
        if (before == .brake) != (rung == .brake) {
            commands.append(command(.brake(rung == .brake), before, power, now, settings.brakeSeconds))
        }
        for priority in PowerPriority.allCases {
            let clock = clock(of: priority, on: rung)
            guard clock != self.clock(of: priority, on: before) else { continue }
            commands.append(
                command(.clock(priority, megahertz: clock), before, power, now, settings.clockSeconds))
        }
        return commands
    }

    /// What is asked for just now, to be said again to servers that may have forgotten.
    public func standing(at now: Int) -> [PowerCommand] {
        [command(.brake(rung == .brake), rung, 0, now, settings.brakeSeconds)]
            + PowerPriority.allCases.map { priority in
                command(
                    .clock(priority, megahertz: clock(of: priority, on: rung)), rung, 0, now,
                    settings.clockSeconds)
            }
    }

    /// The highest rung that a power calls for. At the second threshold high priority follows low.
    private func calls(_ power: Double) -> Int {
        if power > settings.brake { return PowerRung.brake.rawValue }
        if power >= settings.second { return PowerRung.high.rawValue }
        return power >= settings.first ? PowerRung.low.rawValue : 0
    }

    private func permits(_ power: Double) -> Int {
        // A braked row draws little whatever its load: below the first threshold it may go on, slowly.
        if rung == .brake, power >= settings.first { return PowerRung.brake.rawValue }
        if power < settings.first - settings.hysteresis { return 0 }
        return power < settings.second - settings.hysteresis
            ? PowerRung.low.rawValue : PowerRung.brake.rawValue
    }

    private func clock(of priority: PowerPriority, on rung: PowerRung) -> Double? {
        switch (priority, rung) {
        case (_, .free), (.high, .low), (.high, .lower): nil
        case (.low, .low): settings.lowClock
        case (.low, .lower), (.low, .high), (.low, .brake): settings.lowerClock
        // In force when the brake is let go.
        case (.high, .high), (.high, .brake): settings.highClock
        }
    }

    private func command(
        _ action: PowerCommand.Action, _ before: PowerRung, _ power: Double, _ now: Int, _ latency: Int
    ) -> PowerCommand {
        PowerCommand(
            action: action, issuedAt: now, effectiveAt: now + latency, before: before, after: rung,
            power: power)
    }
}
