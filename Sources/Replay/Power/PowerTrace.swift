internal import Foundation
internal import Oversubscription

/// Power of a row of inference servers whose clocks nobody touches, made up after what is known of real ones:
/// days and weekends, noise, and bursts of prompts that many servers see at once.
///
/// The greatest sample and the greatest rise within the time that a clock takes are as asked for; the paper
/// that the defaults are from (POLCA, ASPLOS 2024) found 79 % and 11.8 points within 40 s in a row of 40
/// servers over six weeks.
public struct PowerTrace: Sendable, Hashable {
    /// Between two samples.
    public static let stepSeconds = 2

    /// Mean power of low- and of high-priority servers, as share of what a server is provisioned with.
    public let low: [Double]
    public let high: [Double]
    /// Share of servers with low priority.
    public let lowShare: Double

    /// The row as a whole, as share of its provisioned power.
    public var row: [Double] { Self.mix(low, high, lowShare) }

    /// What a trace is like.
    public struct Shape: Sendable, Hashable {
        public var days: Int
        public var lowShare: Double
        /// Greatest power, as share of the provisioned.
        public var peak: Double
        /// Greatest rise within 40 seconds.
        public var rise: Double
        public var seed: UInt64

        public init(
            days: Int = 42, lowShare: Double = 0.5, peak: Double = 0.79, rise: Double = 0.118,
            seed: UInt64 = 1
        ) {
            self.days = days
            self.lowShare = lowShare
            self.peak = peak
            self.rise = rise
            self.seed = seed
        }

        func validate() throws(OptionError) {
            try OptionError.check("days", days, in: 1...366)
            try OptionError.check("low-share", lowShare, in: 0...1)
            try OptionError.check("peak", peak, in: 0.3...1)
            try OptionError.check("rise", rise, in: 0.05...0.25)
        }
    }

    /// - Throws: `OptionError` for a shape that no row has.
    public init(_ shape: Shape) throws(OptionError) {
        try shape.validate()
        let steps = shape.days * 86_400 / Self.stepSeconds
        var random = LinearCongruence(seed: shape.seed)
        let slow = Self.daily(steps)
        // Half of what bursts is common to the row: a popular hour is popular for all.
        let common = Self.bursts(steps, &random)
        let parts = (0..<2).map { _ in
            zip(slow, zip(common, Self.bursts(steps, &random))).map { slow, bursts in
                (bursts.0 + bursts.1) / 2 * (1 - Self.busy * slow / Self.swing)
            }
        }
        let fast = Self.mix(parts[0], parts[1], shape.lowShare)
        let scale = Self.scale(of: fast, on: slow, rise: shape.rise)
        let peak = zip(slow, fast).reduce(0) { max($0, $1.0 + scale * $1.1) }
        let ground = shape.peak - peak
        low = zip(slow, parts[0]).map { ground + $0 + scale * $1 }
        high = zip(slow, parts[1]).map { ground + $0 + scale * $1 }
        lowShare = shape.lowShare
    }

    /// Of a day's power, as share of the provisioned.
    private static let swing = 0.28
    /// Share of servers that the busiest hour keeps busy: they cannot follow a burst any further.
    private static let busy = 0.6

    /// Between two hours of the day and two kinds of days, from 0 to `swing`.
    private static func daily(_ steps: Int) -> [Double] {
        let weekend = 0.75
        let perDay = 86_400 / stepSeconds
        return (0..<steps).map { step in
            let hour = Double(step % perDay) / Double(perDay) * 24
            let isWeekend = step / perDay % 7 >= 5
            return swing * (isWeekend ? weekend : 1) * (1 - cos((hour - 4) / 24 * 2 * .pi)) / 2
        }
    }

    /// Noise that fades over a minute, and bursts that rise within 10 to 40 seconds and stay for minutes.
    private static func bursts(_ steps: Int, _ random: inout LinearCongruence) -> [Double] {
        func draw() -> Double { (Double(random.next()) + 0.5) / Double(UInt32(1) << 31) }
        var values = [Double](repeating: 0, count: steps)
        var noise = 0.0
        for step in 0..<steps {
            noise = 0.97 * noise + 0.03 * (draw() - 0.5)
            values[step] += noise
        }
        // Every quarter of an hour on average.
        var start = 0
        while start < steps {
            start += max(1, Int(-log(draw()) * 450))
            let height = min(1, -log(draw()) / 4)
            let rise = 5 + Int(draw() * 16)
            let stay = 10 + Int(draw() * 80)
            let fall = 15 + Int(draw() * 30)
            for offset in 0..<(rise + stay + fall) where start + offset < steps {
                let part =
                    offset < rise
                    ? Double(offset + 1) / Double(rise)
                    : offset < rise + stay ? 1 : Double(rise + stay + fall - offset) / Double(fall)
                values[start + offset] = max(values[start + offset], height * part)
            }
        }
        return values
    }

    /// The factor of the fast part at which the greatest rise is as asked for: secants, as the rise is
    /// nearly straight in it.
    private static func scale(of fast: [Double], on slow: [Double], rise: Double) -> Double {
        let latency = 40 / stepSeconds
        func greatest(_ scale: Double) -> Double {
            Headroom.rises(zip(slow, fast).map { $0 + scale * $1 }, within: latency).max() ?? 0
        }
        var scale = rise
        for _ in 0..<20 {
            let found = greatest(scale)
            guard found > 0, abs(found - rise) > 1e-9 else { break }
            scale *= rise / found
        }
        return scale
    }

    private static func mix(_ low: [Double], _ high: [Double], _ lowShare: Double) -> [Double] {
        zip(low, high).map { lowShare * $0 + (1 - lowShare) * $1 }
    }
}
