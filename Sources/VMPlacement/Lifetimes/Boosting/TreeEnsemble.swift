/// Regression trees in parallel arrays, their answers summed.
///
/// A leaf points to itself behind a threshold that nothing exceeds, so that a tree is walked in a fixed
/// number of steps without a branch to guess, and several trees are walked at once by the processor.
public struct TreeEnsemble: Sendable, Hashable {
    /// One node of a tree as files and trainers name it.
    public struct Node: Sendable, Hashable {
        /// Feature that is compared; 0 for a leaf.
        public var feature: Int
        /// Position in the tree of the child for values up to `value`, the other one right behind it; 0 for a
        /// leaf.
        public var left: Int
        /// Threshold, or the answer of a leaf.
        public var value: Float

        public init(feature: Int, left: Int, value: Float) {
            self.feature = feature
            self.left = left
            self.value = value
        }

        public static func leaf(_ value: Float) -> Node { Node(feature: 0, left: 0, value: value) }

        public var isLeaf: Bool { left == 0 }
    }

    /// What makes a list of nodes no tree.
    public enum Defect: Error, Sendable, Hashable {
        case noNodes, tooManyNodes
        /// A node names a feature that is not there.
        case feature(node: Int)
        /// A node's children are not behind it, or not there, so that a walk might not end.
        case child(node: Int)
        /// A value is not a number.
        case value(node: Int)
    }

    /// Positions in a tree are 16 bits.
    public static let nodeLimit = 1 << 16
    public static let featureLimit = 1 << 8

    /// What every sum starts from.
    public let base: Float
    /// Trees of the ensemble.
    public var count: Int { starts.count }

    private var starts: [Int32] = []
    private var depths: [UInt8] = []
    private var features: [UInt8] = []
    private var lefts: [UInt16] = []
    private var thresholds: [Float] = []
    private var answers: [Float] = []
    private let featureCount: Int

    public init(base: Float, featureCount: Int) {
        self.base = base
        self.featureCount = min(featureCount, Self.featureLimit)
    }

    /// Adds one tree, its root first.
    ///
    /// - Throws: what is wrong with the nodes; nothing is added then.
    public mutating func append(_ nodes: [Node]) throws(Defect) {
        let depth = try depth(of: nodes)
        starts.append(Int32(features.count))
        depths.append(depth)
        for (index, node) in nodes.enumerated() {
            features.append(UInt8(node.feature))
            lefts.append(UInt16(node.isLeaf ? index : node.left))
            thresholds.append(node.isLeaf ? .infinity : node.value)
            answers.append(node.isLeaf ? node.value : 0)
        }
    }

    /// Keeps the first trees.
    public mutating func truncate(to count: Int) {
        guard count < starts.count else { return }
        let end = Int(starts[count])
        starts.removeSubrange(count...)
        depths.removeSubrange(count...)
        features.removeSubrange(end...)
        lefts.removeSubrange(end...)
        thresholds.removeSubrange(end...)
        answers.removeSubrange(end...)
    }

    private func depth(of nodes: [Node]) throws(Defect) -> UInt8 {
        guard !nodes.isEmpty else { throw .noNodes }
        guard nodes.count <= Self.nodeLimit else { throw .tooManyNodes }
        var depths = [Int](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard node.value.isFinite else { throw .value(node: index) }
            guard (0..<max(featureCount, 1)).contains(node.feature) else { throw .feature(node: index) }
            guard !node.isLeaf else { continue }
            // Children behind their parent: every step of a walk goes on.
            guard node.left > index, node.left + 1 < nodes.count else { throw .child(node: index) }
            depths[node.left] = depths[index] + 1
            depths[node.left + 1] = depths[index] + 1
        }
        guard let depth = UInt8(exactly: depths.reduce(0, max)) else { throw .tooManyNodes }
        return depth
    }

    /// The sum of the answers for one vector, which has as many values as the ensemble has features. A value
    /// that is not a number goes left.
    func sum(_ vector: UnsafeBufferPointer<Float>) -> Float {
        precondition(vector.count >= featureCount, "\(vector.count) values for \(featureCount) features")
        var sum = base
        features.withUnsafeBufferPointer { features in
            lefts.withUnsafeBufferPointer { lefts in
                thresholds.withUnsafeBufferPointer { thresholds in
                    for tree in starts.indices {
                        let start = Int(starts[tree])
                        var node = start
                        for _ in 0..<depths[tree] {
                            let isRight = vector[Int(features[node])] > thresholds[node]
                            node = start &+ Int(lefts[node]) &+ (isRight ? 1 : 0)
                        }
                        sum += answers[node]
                    }
                }
            }
        }
        return sum
    }

    /// The same for values in an array.
    public func sum(_ vector: [Float]) -> Float { vector.withUnsafeBufferPointer(sum) }

    /// What one tree adds to the sum.
    public func answer(of tree: Int, _ vector: [Float]) -> Float {
        let start = Int(starts[tree])
        var node = start
        for _ in 0..<depths[tree] {
            node = start + Int(lefts[node]) + (vector[Int(features[node])] > thresholds[node] ? 1 : 0)
        }
        return answers[node]
    }

    /// The nodes of every tree, as they were added.
    public var trees: [[Node]] {
        starts.indices.map { tree in
            let start = Int(starts[tree])
            let end = tree + 1 < starts.count ? Int(starts[tree + 1]) : features.count
            return (start..<end).map { node in
                let isLeaf = thresholds[node] == .infinity
                return isLeaf
                    ? .leaf(answers[node])
                    : Node(
                        feature: Int(features[node]), left: Int(lefts[node]), value: thresholds[node])
            }
        }
    }
}
