/// How much of the hot bins that a scope may have within a window it has had.
public struct ErrorBudget: Sendable, Hashable, Codable {
    /// What the burnt part asks for.
    public enum Verdict: String, Sendable, Hashable, Codable {
        /// Ratios may rise.
        case open
        /// More than half is burnt: no ratio rises.
        case frozen
        /// All is burnt: back to the latest decision that kept its target.
        case rollback
    }

    /// Of a class, as share of bins.
    public var target: Double
    public var windowDays: Int
    public var freezeAt: Double
    public var rollbackAt: Double

    /// - Parameter target: 0.001 for what is critical, 0.01 for standard and 0.05 for spot VMs.
    public init(target: Double, windowDays: Int = 30, freezeAt: Double = 0.5, rollbackAt: Double = 1) {
        self.target = target
        self.windowDays = windowDays
        self.freezeAt = freezeAt
        self.rollbackAt = rollbackAt
    }

    /// The burnt part of the budget of the window that ends with a day.
    ///
    /// The budget is that of a whole window of days like those seen, so that a young scope's first hot bin
    /// does not burn it all; days without samples count as such.
    public func burned(_ days: [ScopeDay], through today: Int) -> Double {
        let window = days.filter { $0.day <= today && $0.day > today - windowDays && $0.bins > 0 }
        guard !window.isEmpty else { return 0 }
        let hot = Double(window.reduce(0) { $0 + $1.hotBins })
        let perDay = Double(window.reduce(0) { $0 + $1.bins }) / Double(window.count)
        let allowed = target * perDay * Double(windowDays)
        return hot == 0 ? 0 : hot / max(allowed, .leastNormalMagnitude)
    }

    public func verdict(burned: Double) -> Verdict {
        burned > rollbackAt ? .rollback : burned > freezeAt ? .frozen : .open
    }
}

/// A ratio that was in force, and what came of it.
public struct RatioRecord: Sendable, Hashable, Codable {
    public var id: String
    public var ratioPerMille: Int
    /// While it was in force.
    public var bins: Int
    public var hotBins: Int

    public init(id: String, ratioPerMille: Int, bins: Int, hotBins: Int) {
        self.id = id
        self.ratioPerMille = ratioPerMille
        self.bins = bins
        self.hotBins = hotBins
    }
}

extension ErrorBudget {
    /// The latest decision before the present one whose hot bins were within the target, and that is no
    /// bolder than the present one.
    ///
    /// - Parameter history: in the order of time, the present one last.
    /// - Returns: nil when there is none: the scope falls back to its class's default.
    public func rollback(_ history: [RatioRecord]) -> RatioRecord? {
        guard let present = history.last else { return nil }
        return history.dropLast().last {
            $0.bins > 0 && $0.ratioPerMille < present.ratioPerMille
                && Double($0.hotBins) <= target * Double($0.bins)
        }
    }
}
