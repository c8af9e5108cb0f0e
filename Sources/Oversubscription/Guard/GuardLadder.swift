/// Rungs of growing harm that a guard climbs while it is too hot, and leaves one by one once it has cooled.
///
/// The ladder knows neither signals nor actions: it is told the highest rung that the signals call for and
/// the lowest that they permit, and keeps the times. What guards cores and what guards power share it.
public struct GuardLadder: Sendable, Hashable, Codable {
    /// One rung above the ground.
    public struct Rung: Sendable, Hashable, Codable {
        /// How a rung is reached.
        public enum Entry: String, Sendable, Hashable, Codable {
            /// From the rung below, when that has settled and did not help.
            case afterBelow
            /// From any rung below, but not while something is being undone.
            case direct
            /// From any rung at any time: what it prevents is worse than an action that crosses another.
            case always
        }

        public var entry: Entry
        /// Seconds until the effect of taking or leaving the rung can be seen.
        public var settleSeconds: Int
        /// Seconds for which the signals must permit less before the rung is left.
        public var holdSeconds: Int
        /// The rung that is left for; those between undo nothing.
        public var landing: Int

        public init(_ entry: Entry, settleSeconds: Int, holdSeconds: Int, landing: Int) {
            self.entry = entry
            self.settleSeconds = settleSeconds
            self.holdSeconds = holdSeconds
            self.landing = landing
        }
    }

    /// A change of rung.
    public struct Move: Sendable, Hashable {
        public var from: Int
        public var to: Int
    }

    /// Rung 1 and up; rung 0 is the ground.
    private let rungs: [Rung]
    public private(set) var level = 0
    /// The second from which on the effect of the latest action can be seen.
    public private(set) var settledAt = Int.min
    private var isUndoing = false
    private var calmSince: Int?

    public init(_ rungs: [Rung]) {
        for (index, rung) in rungs.enumerated() {
            precondition((0...index).contains(rung.landing), "rung \(index + 1) lands on \(rung.landing)")
        }
        self.rungs = rungs
    }

    /// Whether the effect of the latest action can be seen.
    public func isSettled(at now: Int) -> Bool { now >= settledAt }

    /// At most one rung is taken or left per call, unless rungs are direct.
    ///
    /// - Parameters:
    ///   - now: seconds, not less than in the call before.
    ///   - calls: the highest rung that the signals call for.
    ///   - permits: the lowest rung that the signals permit.
    /// - Returns: nil where the ladder stays on its rung.
    public mutating func step(at now: Int, calls: Int, permits: Int) -> Move? {
        if calls > level {
            calmSince = nil
            return next(at: now, calls: min(calls, rungs.count)).map { take($0, at: now) }
        }
        guard permits < level else {
            calmSince = nil
            return nil
        }
        let since = calmSince ?? now
        calmSince = since
        let rung = rungs[level - 1]
        guard isSettled(at: now), now - since >= rung.holdSeconds else { return nil }
        return leave(rung, at: now)
    }

    /// Says that an action on the same rung began, whose effect is seen after as long as the rung's.
    public mutating func restart(at now: Int) {
        guard level > 0 else { return }
        settledAt = now + rungs[level - 1].settleSeconds
        isUndoing = false
    }

    /// Says that the rung had nothing to do, so nothing needs to settle.
    public mutating func skip(at now: Int) { settledAt = now }

    private func next(at now: Int, calls: Int) -> Int? {
        for candidate in stride(from: calls, to: level, by: -1) {
            switch rungs[candidate - 1].entry {
            case .always: return candidate
            case .direct where isSettled(at: now) || !isUndoing: return candidate
            case .afterBelow where candidate == level + 1 && isSettled(at: now): return candidate
            case .direct, .afterBelow: continue
            }
        }
        return nil
    }

    private mutating func take(_ target: Int, at now: Int) -> Move {
        // What was jumped over begins too, and the slowest of it says when the effect is seen.
        let settle = rungs[level..<target].map(\.settleSeconds).max() ?? 0
        let move = Move(from: level, to: target)
        level = target
        settledAt = max(settledAt, now + settle)
        isUndoing = false
        return move
    }

    private mutating func leave(_ rung: Rung, at now: Int) -> Move {
        let move = Move(from: level, to: rung.landing)
        level = rung.landing
        settledAt = now + rung.settleSeconds
        isUndoing = true
        // The rung below has to be calm for its own time.
        calmSince = nil
        return move
    }
}
