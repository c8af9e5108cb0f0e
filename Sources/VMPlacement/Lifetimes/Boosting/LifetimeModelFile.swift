public import Foundation

/// A boosted model as a file: JSON that says what the model was made from and how good it was.
///
/// The same model gives the same bytes on every machine and in every process.
public struct LifetimeModelFile: Sendable, Hashable, Codable {
    /// First field of every file.
    public static let format = "basalt-lifetime-model"
    /// Version of the layout that is written and read.
    public static let version = 1
    /// More trees than any prediction has time for.
    public static let treeLimit = 10_000

    /// What the model learned from.
    public struct Training: Sendable, Hashable, Codable {
        /// First and last instant of what was seen, seconds on the trace's clock.
        public var from: Double
        public var until: Double
        public var vms: Int
        /// VMs that still ran at the end.
        public var censored: Int
        /// Pairs of a VM and an uptime.
        public var examples: Int
        public var seed: UInt64
        /// Of the VMs in the order of the trace, sixteen hexadecimal digits.
        public var dataHash: String

        public init(
            from: Double, until: Double, vms: Int, censored: Int, examples: Int, seed: UInt64,
            dataHash: String
        ) {
            self.from = from
            self.until = until
            self.vms = vms
            self.censored = censored
            self.examples = examples
            self.seed = seed
            self.dataHash = dataHash
        }
    }

    /// How good it was on the later part of what it saw, which it had not learned from.
    public struct Metrics: Sendable, Hashable, Codable {
        public var trees: Int
        /// Root of the mean square error of log10 of the remaining lifetime.
        public var trainingError: Double
        public var validationError: Double

        public init(trees: Int, trainingError: Double, validationError: Double) {
            self.trees = trees
            self.trainingError = trainingError
            self.validationError = validationError
        }
    }

    public var training: Training
    public var metrics: Metrics
    /// Longest lifetime that the model distinguishes, seconds.
    public var capSeconds: Double
    private var features: [FeatureEntry]
    private var calibration: CalibrationEntry
    private var trees: TreesEntry
    public private(set) var checksum: String

    private struct FeatureEntry: Sendable, Hashable, Codable {
        var name: String
        /// Nil for a number.
        var categories: [String: Float]?
        var otherwise: Float?
    }

    private struct CalibrationEntry: Sendable, Hashable, Codable {
        var predicted: [Float]
        var actual: [Float]
    }

    /// Nodes of all trees in three lists; `counts` says where each tree ends.
    private struct TreesEntry: Sendable, Hashable, Codable {
        var base: Float
        var counts: [Int] = []
        var features: [Int] = []
        var lefts: [Int] = []
        var values: [Float] = []
    }

    private enum CodingKeys: String, CodingKey {
        case training, metrics, capSeconds, features, calibration, trees, checksum
    }

    /// - Parameter model: what is to be kept.
    public init(_ model: BoostedLifetimeModel, training: Training, metrics: Metrics, capSeconds: Double) {
        self.training = training
        self.metrics = metrics
        self.capSeconds = capSeconds
        features = model.encoder.features.map { feature in
            guard case .category(let values, let otherwise) = feature.kind else {
                return FeatureEntry(name: feature.name)
            }
            return FeatureEntry(name: feature.name, categories: values, otherwise: otherwise)
        }
        calibration = CalibrationEntry(
            predicted: model.calibration.predicted, actual: model.calibration.actual)
        trees = TreesEntry(base: model.trees.base)
        for nodes in model.trees.trees {
            trees.counts.append(nodes.count)
            for node in nodes {
                trees.features.append(node.feature)
                trees.lefts.append(node.left)
                trees.values.append(node.value)
            }
        }
        checksum = ""
        checksum = hash
    }

    /// Names of what the model looks at, in its order.
    public var featureNames: [String] { features.map(\.name) }

    /// Of everything that decides predictions.
    private var hash: String {
        var hash = StableHash()
        hash.combine(capSeconds.bitPattern)
        for feature in features {
            hash.combine(feature.name)
            hash.combine(feature.otherwise.map { UInt64($0.bitPattern) } ?? 1)
            for (text, value) in (feature.categories ?? [:]).sorted(by: { $0.key < $1.key }) {
                hash.combine(text)
                hash.combine(UInt64(value.bitPattern))
            }
        }
        let numbers = calibration.predicted + calibration.actual + [trees.base] + trees.values
        for number in numbers { hash.combine(UInt64(number.bitPattern)) }
        for number in trees.counts + trees.features + trees.lefts { hash.combine(number) }
        return hash.text
    }
}

// MARK: Bytes

extension LifetimeModelFile {
    /// What is told apart before anything else is read.
    private struct Header: Codable {
        var format: String
        var version: Int
    }

    private struct Whole: Encodable {
        let file: LifetimeModelFile

        func encode(to encoder: any Encoder) throws {
            try Header(format: LifetimeModelFile.format, version: LifetimeModelFile.version)
                .encode(to: encoder)
            try file.encode(to: encoder)
        }
    }

    /// The file's bytes.
    ///
    /// - Throws: `LifetimeModelError` for numbers that JSON cannot hold.
    public func data() throws(LifetimeModelError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(Whole(file: self)) + Data("\n".utf8)
        } catch {
            throw LifetimeModelError(field: "trees", found: "\(error)", expected: "finite numbers")
        }
    }

    /// Reads a file of a version that is known, whole and undamaged.
    ///
    /// - Throws: `LifetimeModelError` that names the first field that is wrong.
    public init(_ data: Data) throws(LifetimeModelError) {
        let header: Header = try Self.decoded(data)
        guard header.format == Self.format else {
            throw LifetimeModelError(field: "format", found: header.format, expected: Self.format)
        }
        guard header.version == Self.version else {
            throw LifetimeModelError(
                field: "version", found: "\(header.version)", expected: "version \(Self.version)")
        }
        self = try Self.decoded(data)
        guard checksum == hash else {
            throw LifetimeModelError(field: "checksum", found: checksum, expected: hash)
        }
        _ = try model
    }

    private static func decoded<Value: Decodable>(_ data: Data) throws(LifetimeModelError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch let error as DecodingError {
            throw LifetimeModelError(error)
        } catch {
            throw LifetimeModelError(field: "the file", found: "\(error)", expected: "JSON")
        }
    }
}

// MARK: Model

extension LifetimeModelFile {
    /// The model that the file holds.
    ///
    /// - Throws: `LifetimeModelError` that names the first field that is wrong.
    public var model: BoostedLifetimeModel {
        get throws(LifetimeModelError) {
            guard (LifetimePredictor.least...LifetimePredictor.most).contains(capSeconds) else {
                throw LifetimeModelError(
                    field: "capSeconds", found: "\(capSeconds)", expected: "1 s to ten years")
            }
            guard
                let calibration = Calibration(
                    predicted: calibration.predicted, actual: calibration.actual)
            else {
                throw LifetimeModelError(
                    field: "calibration", expected: "two lists of equal length in ascending order")
            }
            return BoostedLifetimeModel(
                encoder: FeatureEncoder(try modelFeatures()), trees: try ensemble(), calibration: calibration)
        }
    }

    private func modelFeatures() throws(LifetimeModelError) -> [ModelFeature] {
        guard (1...TreeEnsemble.featureLimit).contains(features.count) else {
            throw LifetimeModelError(
                field: "features", found: "\(features.count) features",
                expected: "1 to \(TreeEnsemble.featureLimit)")
        }
        var result: [ModelFeature] = []
        for (index, feature) in features.enumerated() {
            let kind: ModelFeature.Kind
            if let categories = feature.categories {
                guard let otherwise = feature.otherwise, ModelFeature.isText(feature.name) else {
                    throw LifetimeModelError(
                        field: "features[\(index)]", found: feature.name,
                        expected: "a feature of text with a value for unknown texts")
                }
                kind = .category(values: categories, otherwise: otherwise)
            } else {
                kind = .number
            }
            result.append(ModelFeature(name: feature.name, kind: kind))
        }
        return result
    }

    private func ensemble() throws(LifetimeModelError) -> TreeEnsemble {
        let sizes = 1...TreeEnsemble.nodeLimit
        guard trees.counts.count <= Self.treeLimit, trees.counts.allSatisfy(sizes.contains),
            case let total = trees.counts.reduce(0, +),
            [trees.features.count, trees.lefts.count, trees.values.count].allSatisfy({ $0 == total })
        else {
            throw LifetimeModelError(
                field: "trees", found: "\(trees.counts.count) trees",
                expected: "lists of as many nodes as counts say")
        }
        var ensemble = TreeEnsemble(base: trees.base, featureCount: features.count)
        var start = 0
        for (tree, count) in trees.counts.enumerated() {
            let nodes = (start..<start + count).map {
                TreeEnsemble.Node(feature: trees.features[$0], left: trees.lefts[$0], value: trees.values[$0])
            }
            do {
                try ensemble.append(nodes)
            } catch {
                throw LifetimeModelError(
                    field: "trees", found: "tree \(tree): \(error)",
                    expected: "nodes with children behind them")
            }
            start += count
        }
        return ensemble
    }
}
