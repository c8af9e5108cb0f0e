/// Finds the series that left their usual range the farthest: a baseline that knows nothing of fleets.
///
/// A series is scored by how far its latest quarter lies from its first half, in standard deviations of the
/// latter; a component by its highest series (the n-sigma baseline of RCAEval, on summaries).
public struct NSigmaAgent: ScriptedAgent {
    public let name = "nsigma"
    private let threshold: Double
    private var ranked: [ComponentName]?

    /// - Parameter threshold: standard deviations that are no chance any more.
    public init(threshold: Double = 6) { self.threshold = threshold }

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        if ranked == nil {
            guard case .metrics(let series)? = view.last?.content else {
                return .call(
                    ActionCall(
                        name: ActionVerb.getMetrics.rawValue,
                        arguments: [.text(""), .integer(900), .integer(15)]))
            }
            ranked = Self.ranking(series, threshold: threshold)
        }
        let found = ranked ?? []
        return switch view.stage {
        case .detection: .submit(.text(found.isEmpty ? "No" : "Yes"))
        case .localisation: .submit(components: Array(found.prefix(3)))
        // Of series nothing follows about levels and types.
        case .analysis, .mitigation: .submit()
        }
    }

    /// Components beyond the threshold, the farthest first.
    static func ranking(_ series: [MetricSummary], threshold: Double) -> [ComponentName] {
        var scores: [ComponentName: Double] = [:]
        for summary in series {
            guard let score = score(summary.points) else { continue }
            scores[summary.component] = max(scores[summary.component] ?? 0, score)
        }
        return scores.filter { $0.value >= threshold }
            .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
    }

    /// Nil of too few points.
    static func score(_ points: [Double]) -> Double? {
        guard points.count >= 8 else { return nil }
        let before = points.prefix(points.count / 2)
        let after = points.suffix(points.count / 4)
        let mean = before.reduce(0, +) / Double(before.count)
        let variance = before.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(before.count)
        let now = after.reduce(0, +) / Double(after.count)
        // A series that stood still has no deviation: a twentieth of its size, or a little, stands for it.
        let floor = max(0.05 * abs(mean), 1e-3)
        return abs(now - mean) / max(variance.squareRoot(), floor)
    }
}
