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

/// Counts towards a judgement.
struct JudgementTally {
    /// The bits that a sum over VMs may differ in.
    private static let tolerance = 1e-9

    private var judged = 0
    private var violations = 0
    private var severity = 0.0
    private var saved = 0.0

    /// - Parameter limit: of all VMs, above 0.
    mutating func add(prediction: Double, peak: Double, limit: Double) {
        judged += 1
        saved += (limit - prediction) / limit
        guard peak > prediction + Self.tolerance else { return }
        violations += 1
        severity += (peak - prediction) / peak
    }

    func judgement(of predictor: String) -> PredictorJudgement {
        let count = Double(max(1, judged))
        return PredictorJudgement(
            predictor: predictor, violationRate: Double(violations) / count, severity: severity / count,
            saved: saved / count)
    }
}

extension PredictionTable {
    /// One per column; steps at which the oracle was not asked are not judged.
    public var judgements: [PredictorJudgement] {
        columns.indices.map { column in
            var tally = JudgementTally()
            for row in rows where row.limit > 0 {
                guard let peak = row.oracle else { continue }
                tally.add(prediction: row.predictions[column], peak: peak, limit: row.limit)
            }
            return tally.judgement(of: columns[column])
        }
    }
}
