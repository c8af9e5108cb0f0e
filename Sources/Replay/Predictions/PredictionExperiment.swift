internal import Fleet
public import Oversubscription

/// Runs predictors on the samples of one host, beside the peak that came: `basalt simulate predictors`.
public struct PredictionExperiment: Sendable {
    /// What is run.
    public struct Options: Sendable, Hashable {
        /// A column each.
        public var predictors: [PredictorName]
        /// Samples from which on a VM is predicted; until then it counts with its limit.
        public var minimumSamples: Int
        /// Steps that the oracle looks ahead.
        public var horizon: Int
        /// The oracle is asked at every so many steps, as it is slow.
        public var oracleEvery: Int
        /// Steps of 24 hours.
        public var stepsPerDay: Int

        public init(
            predictors: [PredictorName], minimumSamples: Int = 24, horizon: Int = 288, oracleEvery: Int = 12,
            stepsPerDay: Int = 288
        ) {
            self.predictors = predictors
            self.minimumSamples = minimumSamples
            self.horizon = horizon
            self.oracleEvery = oracleEvery
            self.stepsPerDay = stepsPerDay
        }
    }

    private static let limit = 1_000_000

    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try OptionError.check("min-samples", options.minimumSamples, in: 1...Self.limit)
        try OptionError.check("horizon", options.horizon, in: 0...Self.limit)
        try OptionError.check("oracle-every", options.oracleEvery, in: 1...Self.limit)
        guard options.stepsPerDay > 0, options.stepsPerDay % 24 == 0 else {
            throw OptionError(
                field: "steps-per-day", value: "\(options.stepsPerDay)", expected: "a multiple of 24",
                nearest: "\(max(1, options.stepsPerDay / 24) * 24)")
        }
        self.options = options
    }

    /// - Parameter steps: the samples of each step.
    /// - Returns: one row per step.
    public func run(_ steps: [[VMSample]]) -> PredictionTable {
        var predictors = options.predictors.map {
            $0.predictor(minimumSamples: options.minimumSamples, stepsPerDay: options.stepsPerDay)
        }
        let rows = steps.indices.map { step in
            let vms = steps[step]
            return PredictionTable.Row(
                step: step, vms: vms.count, usage: vms.reduce(0) { $0 + $1.usage },
                limit: vms.reduce(0) { $0 + $1.limit },
                predictions: predictors.indices.map { predictors[$0].observe(vms, step: step) },
                oracle: step % options.oracleEvery == 0
                    ? PeakOracle.peak(from: step, horizon: options.horizon, in: steps) : nil)
        }
        return PredictionTable(
            columns: options.predictors.map { $0.column(minimumSamples: options.minimumSamples) },
            oracleColumn: "oracle_h\(options.horizon)", rows: rows)
    }
}

/// What predictors said, step by step, in cores.
public struct PredictionTable: Sendable, Hashable, Codable {
    /// One step.
    public struct Row: Sendable, Hashable, Codable {
        public var step: Int
        public var vms: Int
        public var usage: Double
        public var limit: Double
        /// In the order of the columns.
        public var predictions: [Double]
        /// Nil where it was not asked.
        public var oracle: Double?
    }

    /// One per predictor.
    public var columns: [String]
    public var oracleColumn: String
    public var rows: [Row]

    /// Comma-separated text with a header, every number with all its digits.
    public var csv: String {
        let header = ["t", "n_vms", "total_usage", "limit"] + columns + [oracleColumn]
        let lines = rows.map { row in
            var cells = ["\(row.step)", "\(row.vms)", "\(row.usage)", "\(row.limit)"]
            cells += row.predictions.map { "\($0)" }
            cells.append(row.oracle.map { "\($0)" } ?? "")
            return cells.joined(separator: ",")
        }
        return ([header.joined(separator: ",")] + lines).map { $0 + "\n" }.joined()
    }
}
