/// What a GPU draws and does at a clock, relative to its full clock.
public struct ClockTable: Sendable, Hashable {
    /// One measured clock.
    public struct Point: Sendable, Hashable {
        public var megahertz: Double
        /// Share of the power at full clock, for the same work at hand.
        public var power: Double
        /// Share of the throughput at full clock.
        public var speed: Double

        public init(_ megahertz: Double, power: Double, speed: Double) {
            self.megahertz = megahertz
            self.power = power
            self.speed = speed
        }
    }

    /// An A100 at inference: at 1110 MHz a fifth less peak power for 7 % less throughput (POLCA, ASPLOS
    /// 2024); at 288 MHz, which the power brake forces, it nearly halts.
    public static let a100 = ClockTable([
        Point(288, power: 0.25, speed: 0.2), Point(1110, power: 0.8, speed: 0.93),
        Point(1410, power: 1, speed: 1),
    ])

    /// Ascending by clock.
    private let points: [Point]

    /// - Parameter points: at least one; the fastest is the full clock.
    public init(_ points: [Point]) {
        precondition(!points.isEmpty, "a table of clocks without one")
        self.points = points.sorted { $0.megahertz < $1.megahertz }
    }

    public var fullMegahertz: Double { points[points.count - 1].megahertz }

    /// Straight between the points, and as the outermost beyond them.
    public func at(_ megahertz: Double) -> Point {
        guard let above = points.firstIndex(where: { $0.megahertz >= megahertz }) else {
            return points[points.count - 1]
        }
        guard above > 0 else { return points[0] }
        let low = points[above - 1]
        let high = points[above]
        let part = (megahertz - low.megahertz) / (high.megahertz - low.megahertz)
        return Point(
            megahertz, power: low.power + part * (high.power - low.power),
            speed: low.speed + part * (high.speed - low.speed))
    }
}
