/// How one predictor did against the peaks that came.
public struct PredictorJudgement: Sendable, Hashable, Codable {
    /// Its column.
    public var predictor: String
    /// Share of the judged steps in which the peak was above the prediction.
    public var violationRate: Double
    /// By how much of the peak the prediction was too small, mean over the judged steps.
    public var severity: Double
    /// Share of the limits that was not needed, mean over the judged steps.
    public var saved: Double
}

extension PredictionTable {
    /// The bits that a sum over VMs may differ in.
    private static let tolerance = 1e-9

    /// One per column; steps at which the oracle was not asked are not judged.
    public var judgements: [PredictorJudgement] {
        let judged = rows.filter { $0.oracle != nil && $0.limit > 0 }
        let count = Double(max(1, judged.count))
        return columns.indices.map { column in
            var violations = 0
            var severity = 0.0
            var saved = 0.0
            for row in judged {
                let prediction = row.predictions[column]
                let peak = row.oracle ?? 0
                if peak > prediction + Self.tolerance {
                    violations += 1
                    severity += (peak - prediction) / peak
                }
                saved += (row.limit - prediction) / row.limit
            }
            return PredictorJudgement(
                predictor: columns[column], violationRate: Double(violations) / count,
                severity: severity / count, saved: saved / count)
        }
    }
}
