/// What is free on each node: taken from, given back to, and copied to try things out.
public struct FreeRoom: Sendable, Hashable {
    public let nodes: [TrainingNode]
    public private(set) var gpus: [Int]
    private var threads: [Int]
    private var memory: [Int]
    private var isUp: [Bool]
    /// Nodes that are up, by free GPUs, in order.
    private var byFree: [[Int]]

    public init(_ nodes: [TrainingNode]) {
        self.nodes = nodes
        gpus = nodes.map(\.gpus)
        threads = nodes.map(\.threads)
        memory = nodes.map(\.memoryMiB)
        isUp = nodes.map { _ in true }
        let most = nodes.map(\.gpus).max() ?? 0
        byFree = (0...most).map { free in nodes.indices.filter { nodes[$0].gpus == free } }
    }

    /// The same with more nodes behind the others, all of them free.
    public init(_ room: FreeRoom, adding more: [TrainingNode]) {
        let first = room.nodes.count
        nodes = room.nodes + more
        gpus = room.gpus + more.map(\.gpus)
        threads = room.threads + more.map(\.threads)
        memory = room.memory + more.map(\.memoryMiB)
        isUp = room.isUp + more.map { _ in true }
        let most = more.map(\.gpus).max() ?? 0
        byFree = room.byFree
        while byFree.count <= most { byFree.append([]) }
        for (place, node) in more.enumerated() { byFree[node.gpus].append(first + place) }
    }

    /// Free GPUs of nodes that are up.
    public var freeGPUs: Int { byFree.indices.reduce(0) { $0 + $1 * byFree[$1].count } }

    /// GPUs of nodes that are up.
    public var totalGPUs: Int { nodes.indices.reduce(0) { $0 + (isUp[$1] ? nodes[$1].gpus : 0) } }

    public func isUp(_ node: Int) -> Bool { isUp[node] }

    /// A node that is lost gives nothing; what was held there may still be given back.
    public mutating func setUp(_ node: Int, _ up: Bool) {
        guard isUp[node] != up else { return }
        if up { insert(node) } else { remove(node) }
        isUp[node] = up
    }

    public mutating func take(_ grant: Grant) { change(grant, by: -1) }

    public mutating func give(_ grant: Grant) { change(grant, by: 1) }

    /// Whether every node has what it gave out; a test of the callers.
    public var isSound: Bool {
        nodes.indices.allSatisfy {
            (0...nodes[$0].gpus).contains(gpus[$0]) && (0...nodes[$0].threads).contains(threads[$0])
                && (0...nodes[$0].memoryMiB).contains(memory[$0])
        }
    }

    private mutating func change(_ grant: Grant, by sign: Int) {
        for share in grant.shares {
            let node = share.node
            if isUp[node] { remove(node) }
            gpus[node] += sign * share.gpus
            threads[node] += sign * share.gpus * grant.point.threadsPerGPU
            memory[node] += sign * share.gpus * grant.point.memoryPerGPU
            if isUp[node] { insert(node) }
        }
    }

    /// Lowers what a node has free to what another room has there.
    mutating func lower(_ node: Int, to other: FreeRoom) {
        if isUp[node], !other.isUp[node] { setUp(node, false) }
        threads[node] = min(threads[node], other.threads[node])
        memory[node] = min(memory[node], other.memory[node])
        guard other.gpus[node] < gpus[node] else { return }
        if isUp[node] { remove(node) }
        gpus[node] = other.gpus[node]
        if isUp[node] { insert(node) }
    }

    private mutating func remove(_ node: Int) {
        let bucket = gpus[node]
        if let index = byFree[bucket].firstIndex(of: node) { byFree[bucket].remove(at: index) }
    }

    private mutating func insert(_ node: Int) {
        let bucket = gpus[node]
        var low = 0
        var high = byFree[bucket].count
        while low < high {
            let middle = (low + high) / 2
            if byFree[bucket][middle] < node { low = middle + 1 } else { high = middle }
        }
        byFree[bucket].insert(node, at: low)
    }
}

extension FreeRoom {
    /// Which nodes a placement may use.
    public enum Allowed: Sendable, Hashable {
        case all
        /// All but those marked.
        case except([Bool])
        /// Those marked only.
        case only([Bool])

        func allows(_ node: Int) -> Bool {
            switch self {
            case .all: true
            case .except(let marked): !marked[node]
            case .only(let marked): marked[node]
            }
        }
    }

    /// Nodes for a point: the fullest that have room, of one rack where one has enough, so that what stays
    /// free is whole.
    ///
    /// - Returns: nil where it does not fit.
    public func place(_ point: SpeedPoint, _ allowed: Allowed = .all) -> Grant? {
        guard hasCounts(point.placement) else { return nil }
        if point.nodes > 1, let racks {
            for rack in racks {
                if let grant = fill(point, allowed, rack: rack) { return grant }
            }
        }
        return fill(point, allowed, rack: nil)
    }

    /// The first of several points that fits.
    public func place(firstOf points: [SpeedPoint]) -> Grant? {
        for point in points {
            if let grant = place(point) { return grant }
        }
        return nil
    }

    /// The racks in order, unless there is only one.
    private var racks: [Int]? {
        guard let first = nodes.first?.rack, nodes.contains(where: { $0.rack != first }) else { return nil }
        return Set(nodes.map(\.rack)).sorted()
    }

    /// Whether enough nodes have enough GPUs, whatever else they lack.
    private func hasCounts(_ placement: [Int]) -> Bool {
        guard let most = placement.first, most < byFree.count else { return false }
        var have = 0
        var need = 0
        var index = 0
        for free in stride(from: byFree.count - 1, through: 1, by: -1) {
            have += byFree[free].count
            while index < placement.count, placement[index] == free {
                need += 1
                index += 1
            }
            if need > have { return false }
        }
        return true
    }

    private func fill(_ point: SpeedPoint, _ allowed: Allowed, rack: Int?) -> Grant? {
        var shares: [NodeShare] = []
        for count in point.placement {
            let node = fullest(count, point, rack: rack) { node in
                allowed.allows(node) && !shares.contains { $0.node == node }
            }
            guard let node else { return nil }
            shares.append(NodeShare(node: node, gpus: count))
        }
        return Grant(shares: shares, point: point)
    }

    private func fullest(
        _ count: Int, _ point: SpeedPoint, rack: Int?, _ isAllowed: (Int) -> Bool
    ) -> Int? {
        for free in count..<byFree.count {
            for node in byFree[free] where rack == nil || nodes[node].rack == rack {
                guard threads[node] >= count * point.threadsPerGPU,
                    memory[node] >= count * point.memoryPerGPU, isAllowed(node)
                else { continue }
                return node
            }
        }
        return nil
    }
}
