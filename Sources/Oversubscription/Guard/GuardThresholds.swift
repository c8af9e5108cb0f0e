/// When a host is warm, hot or calm.
public struct GuardThresholds: Sendable, Hashable, Codable {
    /// A value that a signal has to reach, and for how long.
    public struct Limit: Sendable, Hashable, Codable {
        public var signal: HostSignals.Signal
        public var value: Double
        /// Without a break; 0 is one reading.
        public var seconds: Int

        public init(_ signal: HostSignals.Signal, _ value: Double, seconds: Int = 0) {
            self.signal = signal
            self.value = value
            self.seconds = seconds
        }
    }

    /// Where a use that is hot may lie, whatever the past says.
    public static let hotUse = 0.85...0.95

    /// Any of them makes a host warm: it is not acted on, but neither is it calm.
    public var warm: [Limit]
    /// Any of them makes a host hot.
    public var hot: [Limit]

    public init(warm: [Limit], hot: [Limit]) {
        self.warm = warm
        self.hot = hot
    }

    /// Waiting is what hurts and is judged at once; use alone has to last.
    ///
    /// - Parameter hotUse: share of cores in use, brought within ``GuardThresholds/hotUse``.
    public init(hotUse: Double = hotUse.upperBound) {
        let hotUse = min(max(hotUse, Self.hotUse.lowerBound), Self.hotUse.upperBound)
        warm = [
            Limit(.pressure, 0.10, seconds: 60), Limit(.runDelay, 0.05), Limit(.steal, 0.05),
            Limit(.use, 0.85, seconds: 300),
        ]
        hot = [
            Limit(.guaranteedRunDelay, 0.03), Limit(.runDelay, 0.10), Limit(.steal, 0.10),
            Limit(.pressure, 0.25, seconds: 30), Limit(.use, hotUse, seconds: 60),
        ]
    }

    /// A host is calm below half of what makes it warm; of use, which may be high for good reason, below all
    /// of it.
    func isCalm(_ signals: HostSignals) -> Bool {
        warm.allSatisfy { signals[$0.signal] < ($0.signal == .use ? $0.value : $0.value / 2) }
    }
}

/// Where a guard has to begin so that what it does comes in time.
public enum Headroom {
    /// One less the rise that a quantile of all times sees within the time that an action takes.
    ///
    /// - Parameters:
    ///   - values: shares of a capacity at equal steps.
    ///   - latencySteps: from an action to its effect, at least 1.
    ///   - quantile: 1 is the greatest rise.
    /// - Returns: nil for fewer values than the latency needs.
    public static func threshold(_ values: [Double], latencySteps: Int, quantile: Double) -> Double? {
        let rises = rises(values, within: latencySteps)
        return rises.isEmpty ? nil : 1 - Percentile.of(rises, quantile)
    }

    /// How far values rise above each value within so many steps, 0 where they fall; the last values, whose
    /// future is not known, are left out.
    public static func rises(_ values: [Double], within steps: Int) -> [Double] {
        guard steps > 0, values.count > steps else { return [] }
        // Indices of falling values: the first is the greatest of the window.
        var greatest: [Int] = []
        var head = 0
        var rises: [Double] = []
        rises.reserveCapacity(values.count - steps)
        for (index, value) in values.enumerated() {
            while greatest.count > head, values[greatest[greatest.count - 1]] <= value {
                greatest.removeLast()
            }
            greatest.append(index)
            guard index >= steps else { continue }
            let start = index - steps
            while greatest[head] < start { head += 1 }
            rises.append(values[greatest[head]] - values[start])
        }
        return rises
    }
}
