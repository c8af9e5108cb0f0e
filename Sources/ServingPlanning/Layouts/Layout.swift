/// One block of a pipeline: equal GPUs of one node that share consecutive layers.
public struct Stage: Sendable, Hashable {
    /// Position in the cluster.
    public var node: Int
    /// GPUs.
    public var tensor: Int
    /// At least 1.
    public var layers: Int

    public init(node: Int, tensor: Int, layers: Int) {
        self.node = node
        self.tensor = tensor
        self.layers = layers
    }
}

/// How a group holds the model: its stages in the order in which a token passes them.
public struct Layout: Sendable, Hashable {
    public var stages: [Stage]

    public init(stages: [Stage]) { self.stages = stages }
}

/// GPUs of a group by node. The GPUs of a node are alike, so their numbers say everything.
public struct GroupShape: Sendable, Hashable {
    /// A node and how many of its GPUs.
    public struct Share: Sendable, Hashable {
        public var node: Int
        public var count: Int
    }

    /// By node, each at least 1.
    public private(set) var shares: [Share]

    public init() { shares = [] }

    /// - Parameter counts: by node; zeros are dropped and repeats added up.
    public init(_ counts: [(node: Int, count: Int)]) {
        shares = []
        for (node, count) in counts { add(node: node, count) }
    }

    public var isEmpty: Bool { shares.isEmpty }

    public var gpus: Int { shares.reduce(0) { $0 + $1.count } }

    public func count(_ node: Int) -> Int { shares.first { $0.node == node }?.count ?? 0 }

    public mutating func add(node: Int, _ count: Int) {
        if let index = shares.firstIndex(where: { $0.node >= node }) {
            if shares[index].node == node {
                shares[index].count += count
                if shares[index].count == 0 { shares.remove(at: index) }
            } else if count != 0 {
                shares.insert(Share(node: node, count: count), at: index)
            }
        } else if count != 0 {
            shares.append(Share(node: node, count: count))
        }
    }

    public func adding(_ other: GroupShape) -> GroupShape {
        var sum = self
        for share in other.shares { sum.add(node: share.node, share.count) }
        return sum
    }

    /// Orders groups for people and for ties.
    static func isBefore(_ left: GroupShape, _ right: GroupShape) -> Bool {
        for (a, b) in zip(left.shares, right.shares) where a != b {
            return (a.node, a.count) < (b.node, b.count)
        }
        return left.shares.count < right.shares.count
    }
}

/// What a group does with requests.
public enum Phase: String, Sendable, Hashable, Codable, CaseIterable {
    case prefill, decode
    /// Both by turns, without moving keys and values.
    case both
}
