/// Agents by their scores on the same problems.
public struct Leaderboard: Sendable, Hashable, Codable {
    public struct Row: Sendable, Hashable, Codable {
        public var rank: Int
        public var card: ScoreCard
        /// Whether the next better agent may as well be no better: their intervals of mitigation and of
        /// detection overlap.
        public var isTiedWithBetter: Bool
        /// Share of problems solved at the first seed, and at every seed: all stages without a fault.
        public var resolvedFirst: Proportion
        public var resolvedAlways: Proportion
    }

    public var rows: [Row]

    /// - Parameter grades: of any agents; agents that did not play the same problems are compared all the
    ///   same, and their counts tell.
    public init(_ grades: [SessionGrade]) {
        let byAgent = Dictionary(grouping: grades, by: \.agent)
        let cards = byAgent.map { ScoreCard(agent: $0.key, $0.value) }.sorted {
            let (first, second) = ($0.overall ?? 0, $1.overall ?? 0)
            return first != second ? first > second : $0.agent < $1.agent
        }
        rows = cards.enumerated().map { index, card in
            let better = index > 0 ? cards[index - 1] : nil
            let (first, always) = Self.resolved(byAgent[card.agent] ?? [])
            return Row(
                rank: index + 1, card: card,
                isTiedWithBetter: better.map {
                    Self.overlap(card.detect, $0.detect) && Self.overlap(card.mitigate, $0.mitigate)
                } ?? false, resolvedFirst: first, resolvedAlways: always)
        }
    }

    private static func overlap(_ first: Proportion, _ second: Proportion) -> Bool {
        guard let a = first.low, let b = first.high, let c = second.low, let d = second.high else {
            return true
        }
        return a <= d && c <= b
    }

    private static func resolved(_ grades: [SessionGrade]) -> (Proportion, Proportion) {
        let byTemplate = Dictionary(grouping: grades.filter(\.hasFault), by: \.template)
        let attempts = byTemplate.sorted { $0.key < $1.key }.map { _, grades in
            grades.sorted { $0.seed < $1.seed }.map(\.isResolved)
        }
        return (
            Proportion(attempts.map { $0.first == true ? 1 : 0 }),
            Proportion(attempts.map { $0.allSatisfy { $0 } ? 1 : 0 })
        )
    }

    /// Comma-separated, a line per agent.
    public var csv: String {
        let header =
            "rank,agent,sessions,detect,detect_low,detect_high,localize1,localize3,analyze,mitigate,"
            + "mitigate_low,mitigate_high,overall,harm,steps"
        func text(_ value: Double?) -> String { value.map { String(($0 * 10_000).rounded() / 10_000) } ?? "" }
        let lines = rows.map { row in
            let card = row.card
            let values = [
                card.detect.value, card.detect.low, card.detect.high, card.localize1.value,
                card.localize3.value, card.analyze.value, card.mitigate.value, card.mitigate.low,
                card.mitigate.high, card.overall, card.harm.value, card.steps,
            ]
            return
                ([String(row.rank), CommaSeparated.field(card.agent), String(card.sessions)]
                + values.map(text)).joined(separator: ",")
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }
}

extension SessionGrade {
    /// Whether every stage was right in full.
    public var isResolved: Bool { stages.allSatisfy { $0.score >= 1 } }
}
