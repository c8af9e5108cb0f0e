/// How a model is trained. The paper does not give its own values; the defaults are usual ones, small enough
/// that a prediction stays within 2 µs.
public struct TrainingSettings: Sendable, Hashable {
    /// What predictions are for: the mean of logarithms is below that of lifetimes.
    public enum Mean: String, Sendable, Hashable, CaseIterable {
        case arithmetic, geometric
    }

    /// Names of features; `uptime` and the sizes are always among them.
    public var features: [String]
    public var seed: UInt64
    /// At most.
    public var trees: Int
    /// Of one tree, at most.
    public var leaves: Int
    /// Steps from the root to a leaf, at most.
    public var depth: Int
    /// Share of each tree's answer that counts.
    public var shrinkage: Double
    /// Examples of a leaf, at least.
    public var leastExamples: Int
    /// Share of the VMs that one tree looks at.
    public var rowShare: Double
    /// Uptimes per VM beside its start.
    public var uptimes: Int
    /// Share of the VMs, the last to start, on which training is stopped.
    public var validationShare: Double
    /// Trees without progress after which training stops.
    public var patience: Int
    /// Longest lifetime left that is distinguished, seconds.
    public var capSeconds: Double
    public var mean: Mean

    public static let treeLimit = 10_000
    public static let leafLimit = 256
    public static let depthLimit = 16

    public init(
        features: [String] = [], seed: UInt64 = 0, trees: Int = 300, leaves: Int = 32, depth: Int = 6,
        shrinkage: Double = 0.1, leastExamples: Int = 50, rowShare: Double = 0.5, uptimes: Int = 5,
        validationShare: Double = 0.2, patience: Int = 30, capSeconds: Double = 604_800,
        mean: Mean = .arithmetic
    ) {
        self.features = features
        self.seed = seed
        self.trees = min(max(trees, 1), Self.treeLimit)
        self.leaves = min(max(leaves, 2), Self.leafLimit)
        self.depth = min(max(depth, 1), Self.depthLimit)
        self.shrinkage = shrinkage
        self.leastExamples = max(leastExamples, 1)
        self.rowShare = rowShare
        self.uptimes = max(uptimes, 0)
        self.validationShare = validationShare
        self.patience = max(patience, 1)
        self.capSeconds = capSeconds
        self.mean = mean
    }
}
