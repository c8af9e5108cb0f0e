/// All that is known of a model's speed, the best plan of each placement.
public struct SpeedCurve: Sendable, Hashable, Codable {
    /// By GPUs, then by nodes, then by time.
    public let points: [SpeedPoint]

    /// - Parameter points: those without a positive time are left out; of equal placements the fastest stays.
    public init(_ points: [SpeedPoint]) {
        var best: [[Int]: SpeedPoint] = [:]
        for point in points where point.secondsPerStep > 0 && point.secondsPerStep.isFinite {
            guard let held = best[point.placement] else {
                best[point.placement] = point
                continue
            }
            let isFaster =
                point.secondsPerStep != held.secondsPerStep
                ? point.secondsPerStep < held.secondsPerStep : point.plan < held.plan
            if isFaster { best[point.placement] = point }
        }
        self.points = best.values.sorted(by: SpeedPoint.precedes)
    }

    /// The fastest point with exactly so many GPUs.
    public func best(gpus: Int) -> SpeedPoint? {
        points.filter { $0.gpus == gpus }.min {
            $0.secondsPerStep != $1.secondsPerStep
                ? $0.secondsPerStep < $1.secondsPerStep : SpeedPoint.precedes($0, $1)
        }
    }

    public func point(placement: [Int]) -> SpeedPoint? {
        let sorted = placement.sorted(by: >)
        return points.first { $0.placement == sorted }
    }

    /// Counts of GPUs worth having: each is faster than all smaller ones by more than `slack`.
    public func breakpoints(slack: Double = 0.01) -> [SpeedPoint] {
        var kept: [SpeedPoint] = []
        var counts: [Int] = []
        for point in points where counts.last != point.gpus { counts.append(point.gpus) }
        for count in counts {
            guard let point = best(gpus: count) else { continue }
            guard let last = kept.last else {
                kept.append(point)
                continue
            }
            if last.secondsPerStep > point.secondsPerStep * (1 + slack) { kept.append(point) }
        }
        return kept
    }

    /// The fastest point of at most so many GPUs, useless GPUs left out: the monotone envelope.
    public func envelope(gpus: Int, slack: Double = 0.01) -> SpeedPoint? {
        breakpoints(slack: slack).last { $0.gpus <= gpus }
    }

    /// Steps per second gained per GPU on the way from a count to the best larger breakpoint.
    ///
    /// A curve may be flat before it rises: the slope to the next count alone would never climb it.
    public func bestSlope(from gpus: Int, slack: Double = 0.01) -> Double {
        let here = envelope(gpus: gpus, slack: slack).map { 1 / $0.secondsPerStep } ?? 0
        return breakpoints(slack: slack).filter { $0.gpus > gpus }.map {
            (1 / $0.secondsPerStep - here) / Double($0.gpus - gpus)
        }.max() ?? 0
    }

    /// The least resources whose best plan is as fast as the guarantee: GPUs first, then nodes, then threads.
    public func least(secondsPerStep limit: Double) -> SpeedPoint? {
        points.first { $0.secondsPerStep <= limit }
    }

    /// The points that a predicate keeps.
    public func filtered(_ isKept: (SpeedPoint) -> Bool) -> SpeedCurve { SpeedCurve(points.filter(isKept)) }
}
