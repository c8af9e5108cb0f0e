/// A directed network with capacities and costs, and the cheapest flow through it.
///
/// Capacities and costs are doubles; amounts below `tolerance` count as none.
struct FlowNetwork {
    static let tolerance = 1e-9

    struct Edge {
        var from: Int
        var to: Int
        var capacity: Double
        var cost: Double
        var flow = 0.0
    }

    let nodes: Int
    private(set) var edges: [Edge] = []
    /// Of each node, edges from it and, backwards, edges to it.
    private var outgoing: [[Arc]]

    init(nodes: Int) {
        self.nodes = nodes
        outgoing = Array(repeating: [], count: nodes)
    }

    /// - Returns: position of the edge.
    @discardableResult
    mutating func add(from: Int, to: Int, capacity: Double, cost: Double = 0) -> Int {
        edges.append(Edge(from: from, to: to, capacity: capacity, cost: cost))
        outgoing[from].append(Arc(edge: edges.count - 1, isForward: true))
        outgoing[to].append(Arc(edge: edges.count - 1, isForward: false))
        return edges.count - 1
    }

    /// Pushes up to `amount` along cheapest paths as long as they cost less than nothing.
    ///
    /// Ties go to the edge that was added first, so equal networks have equal flows.
    ///
    /// - Parameter onPath: told what each path carried and cost per unit.
    mutating func pushWhileCheap(
        from source: Int, to sink: Int, amount: Double = .infinity,
        onPath: (_ amount: Double, _ cost: Double) -> Void = { _, _ in }
    ) {
        var rest = amount
        var potentials = distances(from: source)
        // Every path saturates an edge; the bound only guards against rounding.
        for _ in 0..<(8 * edges.count + 8) where rest > Self.tolerance {
            let arcs = cheapestTree(from: source, &potentials)
            let cost = potentials[sink] - potentials[source]
            guard arcs[sink] != nil, cost < -1e-12 else { return }
            var step = rest
            var node = sink
            while node != source, let arc = arcs[node] {
                step = min(step, residual(arc))
                node = tail(arc)
            }
            guard step > 0, step.isFinite else { return }
            node = sink
            while node != source, let arc = arcs[node] {
                edges[arc.edge].flow += arc.isForward ? step : -step
                node = tail(arc)
            }
            rest -= step
            onPath(step, cost)
        }
    }

    /// What one more unit of each edge's capacity is worth, in the order of the edges: an optimal dual
    /// solution. An edge from `sink` to `source` stands for the amount that was offered.
    func duals(source: Int, sink: Int, amount: Double) -> (edges: [Double], amount: Double) {
        var closed = self
        let used = edges.reduce(0.0) {
            $0 + ($1.from == source ? $1.flow : 0) - ($1.to == source ? $1.flow : 0)
        }
        let back = closed.add(from: sink, to: source, capacity: amount)
        closed.edges[back].flow = used
        let potentials = closed.distances(from: nil)
        let worth = closed.edges.map { edge in
            edge.capacity - edge.flow > Self.tolerance
                ? 0 : max(0, -(edge.cost + potentials[edge.from] - potentials[edge.to]))
        }
        return (Array(worth.dropLast()), worth[back])
    }

    private struct Arc {
        var edge: Int
        var isForward: Bool
    }

    private func tail(_ arc: Arc) -> Int { arc.isForward ? edges[arc.edge].from : edges[arc.edge].to }

    private func residual(_ arc: Arc) -> Double {
        arc.isForward ? edges[arc.edge].capacity - edges[arc.edge].flow : edges[arc.edge].flow
    }

    /// Bellman and Ford on what is left of the capacities.
    ///
    /// - Parameter source: nil begins at all nodes at once.
    private func distances(from source: Int?) -> [Double] {
        var distances = [Double](repeating: source == nil ? 0 : .infinity, count: nodes)
        if let source { distances[source] = 0 }
        for _ in 0..<nodes {
            var changed = false
            func relax(_ from: Int, _ to: Int, _ cost: Double) {
                guard distances[from] + cost < distances[to] - 1e-12 else { return }
                distances[to] = distances[from] + cost
                changed = true
            }
            for edge in edges {
                if edge.capacity - edge.flow > Self.tolerance { relax(edge.from, edge.to, edge.cost) }
                if edge.flow > Self.tolerance { relax(edge.to, edge.from, -edge.cost) }
            }
            if !changed { break }
        }
        return distances
    }

    /// The node with the least distance of those that are not done; nil when none is left in reach.
    private func nearest(_ distances: [Double], _ isDone: [Bool]) -> Int? {
        var best: Int?
        var least = Double.infinity
        for node in 0..<nodes where !isDone[node] && distances[node] < least {
            best = node
            least = distances[node]
        }
        return best
    }

    /// Dijkstra on costs that potentials make non-negative; rounding below zero counts as zero, so that the
    /// paths are always a tree.
    ///
    /// - Parameter potentials: of the nodes; afterwards their new distances.
    private func cheapestTree(from source: Int, _ potentials: inout [Double]) -> [Arc?] {
        var distances = [Double](repeating: .infinity, count: nodes)
        var arcs = [Arc?](repeating: nil, count: nodes)
        var isDone = [Bool](repeating: false, count: nodes)
        distances[source] = 0
        while let node = nearest(distances, isDone) {
            isDone[node] = true
            for arc in outgoing[node] where residual(arc) > Self.tolerance {
                let edge = edges[arc.edge]
                let next = arc.isForward ? edge.to : edge.from
                guard !isDone[next], potentials[next] < .infinity else { continue }
                let cost = arc.isForward ? edge.cost : -edge.cost
                let length = distances[node] + max(0, cost + potentials[node] - potentials[next])
                if length < distances[next] {
                    distances[next] = length
                    arcs[next] = arc
                }
            }
        }
        // What cannot be reached any more keeps up with the farthest that can.
        let farthest = distances.filter { $0 < .infinity }.max() ?? 0
        for node in 0..<nodes where potentials[node] < .infinity {
            potentials[node] += min(distances[node], farthest)
        }
        return arcs
    }
}
