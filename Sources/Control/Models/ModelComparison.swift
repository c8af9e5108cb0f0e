internal import Fleet
internal import Foundation
internal import LifetimeTraining
internal import VMPlacement

/// Whether one model is worse than another on the same data.
struct ModelComparison: Equatable {
    /// Nil when the data do not tell.
    var isWorse: Bool?
    /// Both figures side by side.
    var words: String

    /// VMs that ended from which on their history tells models apart.
    static let leastEnds = 100

    /// By what their files say, where both were made of the same data.
    static func ofFiles(_ candidate: ModelSpec, _ incumbent: ModelSpec) -> ModelComparison? {
        guard candidate.training.dataHash == incumbent.training.dataHash else { return nil }
        let (mine, theirs) = (
            candidate.metrics.validationErrorPerMille, incumbent.metrics.validationErrorPerMille
        )
        return ModelComparison(
            isWorse: mine > theirs,
            words:
                "validation error \(decimal(mine)) against \(decimal(theirs)) on the same data")
    }

    /// By what both say of the same VMs: C-index, and F1 of "lives longer than a day". Worse is what has less
    /// of either.
    init(of candidate: LifetimePredictor, against incumbent: LifetimePredictor, on vms: [TrainingVM]) {
        let mine = LifetimeJudgement(vms, by: candidate)
        let theirs = LifetimeJudgement(vms, by: incumbent)
        let pairs = [
            ("C-index", mine.cIndex, theirs.cIndex), ("F1 at 1 d", mine.f1At1d, theirs.f1At1d),
        ].compactMap { name, mine, theirs in
            mine.flatMap { mine in theirs.map { (name: name, mine: mine, theirs: $0) } }
        }
        let ends = vms.count(where: \.observation.hasEnded)
        guard ends >= Self.leastEnds, !pairs.isEmpty else {
            isWorse = nil
            words = "\(ends) VMs ended; it takes \(Self.leastEnds) to tell"
            return
        }
        isWorse = pairs.contains { $0.mine < $0.theirs }
        words =
            pairs.map { "\($0.name) \(Self.decimal($0.mine)) against \(Self.decimal($0.theirs))" }
            .joined(separator: ", ") + " on \(vms.count) VMs"
    }

    init(isWorse: Bool?, words: String) {
        self.isWorse = isWorse
        self.words = words
    }

    private static func decimal(_ perMille: Int) -> String { decimal(Double(perMille) / 1000) }

    private static func decimal(_ value: Double) -> String {
        let perMille = Int((value * 1000).rounded())
        let digits = String(perMille % 1000)
        return "\(perMille / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
