internal import Fleet
internal import Oversubscription

/// A predictor of peaks under the name that users give it.
public struct PredictorName: Sendable, Hashable {
    /// As typed, such as `n-sigma:5:24`.
    public let text: String
    private let parts: [PredictorForm]

    /// What can be typed.
    public static let forms = [
        "limit", "phi:SHARE", "max", "vm:pNN:SAMPLES", "machine:pNN:SAMPLES", "n-sigma:COUNT:SAMPLES",
        "chance:RISK:SAMPLES", "cantelli:RISK:SAMPLES", "hoeffding:RISK:SAMPLES", "window:COUNTxHOURSh:pNN",
        "histogram:pNN",
    ]

    /// - Throws: `OptionError` with the nearest form.
    public init(parsing text: String) throws(OptionError) {
        var parts: [PredictorForm] = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard let form = PredictorForm(String(part)) else {
                let word = String(part.prefix { $0 != ":" })
                let words = Self.forms.map { String($0.prefix { $0 != ":" }) }
                let nearest = PolicyName.nearest(to: word, in: words)
                throw OptionError(
                    field: "predictors", value: String(part), expected: Self.forms.joined(separator: ", "),
                    nearest: zip(words, Self.forms).first { $0.0 == nearest }?.1 ?? "max")
            }
            parts.append(form)
        }
        self.text = text
        self.parts = parts
    }

    /// Reads names separated by commas; the order is kept.
    public static func predictors(parsing text: String) throws(OptionError) -> [PredictorName] {
        var names: [PredictorName] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            names.append(try PredictorName(parsing: String(name)))
        }
        return names
    }

    /// - Parameters:
    ///   - minimumSamples: from which on a VM is predicted.
    ///   - stepsPerDay: a multiple of 24.
    func predictor(minimumSamples: Int, stepsPerDay: Int) -> any PeakPredictor {
        let predictors = parts.map { $0.predictor(minimumSamples, stepsPerDay) }
        return predictors.count == 1 ? predictors[0] : MaxOf(predictors)
    }

    /// The name of the column of values.
    func column(minimumSamples: Int) -> String {
        parts.map { $0.column(minimumSamples) }.joined(separator: "+")
    }
}
