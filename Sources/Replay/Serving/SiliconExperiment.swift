public import ServingPlanning

/// How far the cost model of serving is from measurements.
public struct SiliconJudgement: Sendable, Hashable, Codable {
    /// `all`, or model and GPU.
    public var name: String
    public var points: Int
    /// Mean of the absolute errors, percent of the measured time per token.
    public var mapePct: Double
    /// Mean of the errors, percent; above 0 the model is too slow.
    public var biasPct: Double
    /// Of the absolute errors, percent.
    public var medianPct: Double
    public var p90Pct: Double
    /// Rank correlation of predicted and measured: median over the sweeps of at least six points, which
    /// share model, GPU, precision and sizes of requests; nil when there is no such sweep.
    public var spearman: Double?
    /// Of the worst sweep.
    public var worstSpearman: Double?
}

/// Predicts measured times per token: `basalt model evaluate serving`.
public struct SiliconExperiment: Sendable {
    private let catalogue: ServingCatalogue
    private let settings: CostSettings

    public init(catalogue: ServingCatalogue, settings: CostSettings = .measured) {
        self.catalogue = catalogue
        self.settings = settings
    }

    /// - Returns: all points, then those of each model and GPU.
    /// - Throws: `ServingError` when the catalogue lacks a model or GPU.
    public func judge(_ points: [SiliconPoint]) throws(ServingError) -> [SiliconJudgement] {
        var predicted: [(point: SiliconPoint, tpotMs: Double)] = []
        for point in points {
            if let time = try predict(point) { predicted.append((point, time)) }
        }
        var groups: [String: [(point: SiliconPoint, tpotMs: Double)]] = [:]
        for row in predicted { groups["\(row.point.model) \(row.point.gpu)", default: []].append(row) }
        return [Self.judgement("all", predicted)]
            + groups.keys.sorted().map { Self.judgement($0, groups[$0] ?? []) }
    }

    /// Milliseconds per token of an engine that does both phases: a step of decoding, and in each step the
    /// prompts of the requests that come for those that ended.
    func predict(_ point: SiliconPoint) throws(ServingError) -> Double? {
        let gpu = try catalogue.gpu(point.gpu)
        let model = try catalogue.model(point.model)
        guard let format = WeightFormat(rawValue: point.weights),
            let block = BlockCosts(
                gpu, tensor: point.tensor, intra: gpu.usualIntra, model: model,
                precision: ServingPrecision(weights: format), settings: settings)
        else { return nil }
        let context = point.batch * (point.prompt + point.output / 2)
        let prompts = point.batch * point.prompt / point.output
        let layer =
            block.decode(sequences: point.batch, context: context)
            + block.mixed(tokens: prompts, prompt: point.prompt)
        return (Double(model.layers) * layer + block.head + settings.stepSeconds) * 1000
    }

    private static func judgement(
        _ name: String, _ rows: [(point: SiliconPoint, tpotMs: Double)]
    ) -> SiliconJudgement {
        let errors = rows.map { 100 * ($0.tpotMs / $0.point.tpotMs - 1) }
        let sizes = errors.map(abs).sorted()
        let count = Double(max(errors.count, 1))
        func rank(_ percent: Int) -> Double {
            sizes.isEmpty ? 0 : sizes[(sizes.count * percent + 99) / 100 - 1]
        }
        let sweeps = sweeps(rows).filter { $0.count >= 6 }
        let correlations = sweeps.map { RankCorrelation.of($0.map(\.0), $0.map(\.1)) }.sorted()
        return SiliconJudgement(
            name: name, points: rows.count, mapePct: hundredths(sizes.reduce(0, +) / count),
            biasPct: hundredths(errors.reduce(0, +) / count), medianPct: hundredths(rank(50)),
            p90Pct: hundredths(rank(90)),
            spearman: correlations.isEmpty ? nil : correlations[correlations.count / 2],
            worstSpearman: correlations.first)
    }

    private static func sweeps(
        _ rows: [(point: SiliconPoint, tpotMs: Double)]
    ) -> [[(Double, Double)]] {
        var sweeps: [SiliconPoint: [(Double, Double)]] = [:]
        for row in rows {
            var key = row.point
            (key.batch, key.tensor, key.tpotMs) = (0, 0, 0)
            sweeps[key, default: []].append((row.tpotMs, row.point.tpotMs))
        }
        return Array(sweeps.values)
    }

    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

/// Spearman's correlation of ranks; equal values share the mean of their ranks.
enum RankCorrelation {
    static func of(_ left: [Double], _ right: [Double]) -> Double {
        let (a, b) = (ranks(left), ranks(right))
        let mean = Double(a.count - 1) / 2
        var product = 0.0
        var squares = (left: 0.0, right: 0.0)
        for (x, y) in zip(a, b) {
            product += (x - mean) * (y - mean)
            squares.left += (x - mean) * (x - mean)
            squares.right += (y - mean) * (y - mean)
        }
        let scale = (squares.left * squares.right).squareRoot()
        return scale > 0 ? product / scale : 0
    }

    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
            for position in start...end { ranks[order[position]] = Double(start + end) / 2 }
            start = end + 1
        }
        return ranks
    }
}
