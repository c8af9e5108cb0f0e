import VMPlacement

/// What predicts lifetimes in an experiment.
public enum LifetimePrediction: Sendable, Hashable {
    /// The true lifetime times `exp(N(0, σ))`, drawn once per VM, believed with the spread σ: a ladder from
    /// perfect knowledge to none.
    case oracle(sigma: Double)
    /// Kaplan-Meier per size, of a file of lifetimes, or of what the trace shows until the warm-up ends.
    case kaplanMeier(file: String?)
    /// Kaplan-Meier of all VMs together, likewise: only the uptime counts.
    case age(file: String?)
    /// A log-normal law per size, likewise.
    case logNormal(file: String?)
    /// Boosted trees of a file that was trained.
    case boosted(file: String)

    /// Reads `oracle:SIGMA`, `km`, `age` or `lognormal`, the last three also with `:FILE`, or `gbdt:FILE`.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public init(parsing text: String) throws(OptionError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let argument = parts.count == 2 ? parts[1] : nil
        switch parts[0] {
        case "oracle":
            guard let sigma = argument.flatMap(Double.init), (0...Self.sigmaLimit).contains(sigma) else {
                throw Self.error(text, nearest: "oracle:0.5")
            }
            self = .oracle(sigma: sigma)
        case "km" where argument != "": self = .kaplanMeier(file: argument)
        case "age" where argument != "": self = .age(file: argument)
        case "lognormal" where argument != "": self = .logNormal(file: argument)
        case "gbdt":
            guard let argument, !argument.isEmpty else { throw Self.error(text, nearest: "gbdt:model.json") }
            self = .boosted(file: argument)
        default:
            let names = ["oracle:0.5", "km", "age", "lognormal", "gbdt:model.json"]
            throw Self.error(text, nearest: PolicyName.nearest(to: text, in: names))
        }
    }

    /// Columns of a trace that the predictor looks at.
    ///
    /// - Throws: `TraceError` or `LifetimeModelError` for the file of a model.
    public func traceColumns() throws -> [String] {
        guard case .boosted(let file) = self else { return [] }
        return try LifetimeModelFile(readingFile: file).featureNames
    }

    /// At e¹⁰ a prediction says nothing any more.
    private static let sigmaLimit = 10.0

    private static func error(_ value: String, nearest: String) -> OptionError {
        OptionError(
            field: "predictor", value: value,
            expected:
                "oracle:SIGMA with SIGMA from 0 to 10, km, age or lognormal, also with :FILE, or gbdt:FILE",
            nearest: nearest)
    }
}
