/// What predicts lifetimes.
public enum PredictorForm: String, Sendable, Hashable, ClosedWord {
    /// Kaplan-Meier per project and size, learned from the cell's own VMs as they end.
    case km
    /// A log-normal law per project and size, likewise.
    case lognormal
    /// Gradient-boosted trees, made by `basalt model train` or by a cell's controller, and promoted.
    case gbdt
}

/// A model of VM lifetimes that is kept: what its file says of itself. The file stands beside the document,
/// and neither ever changes: another model is another document.
public struct ModelSpec: DocumentSpec {
    public static let kind = Kind.model
    /// For people.
    public var description: String?
    public var form: PredictorForm
    /// Names of what it looks at, in its order.
    public var features: [String]
    public var training: Training
    public var metrics: Metrics
    /// Longest lifetime that it distinguishes.
    public var capSeconds: Int
    /// Size of the file.
    public var bytes: Int
    /// Of everything in the file that decides predictions, sixteen hexadecimal digits.
    public var checksum: String
    /// What made it; nil for one that a user brought.
    public var origin: Origin?

    public init(
        description: String? = nil, form: PredictorForm, features: [String], training: Training,
        metrics: Metrics, capSeconds: Int, bytes: Int, checksum: String, origin: Origin? = nil
    ) {
        self.description = description
        self.form = form
        self.features = features
        self.training = training
        self.metrics = metrics
        self.capSeconds = capSeconds
        self.bytes = bytes
        self.checksum = checksum
        self.origin = origin
    }

    /// What it learned from.
    public struct Training: Sendable, Hashable, Codable {
        /// First and last instant of what was seen, on the clock of the data.
        public var fromSeconds: Int
        public var untilSeconds: Int
        public var vms: Int
        /// VMs that still ran at the end.
        public var censored: Int
        public var examples: Int
        /// Of the VMs, sixteen hexadecimal digits: equal for equal data.
        public var dataHash: String

        public init(
            fromSeconds: Int, untilSeconds: Int, vms: Int, censored: Int, examples: Int, dataHash: String
        ) {
            self.fromSeconds = fromSeconds
            self.untilSeconds = untilSeconds
            self.vms = vms
            self.censored = censored
            self.examples = examples
            self.dataHash = dataHash
        }
    }

    /// How good it was on the later part of its data, which it had not learned from.
    public struct Metrics: Sendable, Hashable, Codable {
        public var trees: Int
        /// Roots of the mean square errors of log10 of the remaining lifetime, per mille.
        public var trainingErrorPerMille: Int
        public var validationErrorPerMille: Int

        public init(trees: Int, trainingErrorPerMille: Int, validationErrorPerMille: Int) {
            self.trees = trees
            self.trainingErrorPerMille = trainingErrorPerMille
            self.validationErrorPerMille = validationErrorPerMille
        }
    }

    /// The training that a policy asked for.
    public struct Origin: Sendable, Hashable, Codable {
        public var cell: String
        public var pool: String
        /// On the fleet clock.
        public var at: Timestamp

        public init(cell: String, pool: String, at: Timestamp) {
            self.cell = cell
            self.pool = pool
            self.at = at
        }
    }

    /// Characters of a description, as of a policy's.
    public static let descriptionLimit = PolicySpec.descriptionLimit
    /// Bytes of a file: five thousand trees of thirty leaves, whose prediction takes longer than a placement.
    public static let fileLimit = 4 << 20

    public func defects() -> [FieldDefect] { Self.defects(ofDescription: description) }

    public static func defects(ofDescription text: String?) -> [FieldDefect] {
        guard let text, text.unicodeScalars.count > descriptionLimit else { return [] }
        return [
            .init(
                field: "spec.description", code: .outOfRange,
                message: "is longer than \(descriptionLimit) characters")
        ]
    }
}
