/// One model over many small nodes, each with some consecutive layers: tokens find their way through them, and
/// the largest flow from the first layer to the last is what all serve together.
///
/// The formulation of Helix (ASPLOS 2025), without partial inference: a token goes from a node to one that
/// begins where it ends.
public struct LayerFlow: Sendable, Hashable {
    /// A node and what it serves.
    public struct Node: Sendable, Hashable {
        public var name: String
        /// Tokens per second with one layer, with two, and so on; as many as it has room for.
        public var rates: [Double]

        public init(name: String, rates: [Double]) {
            self.name = name
            self.rates = rates
        }
    }

    /// Of the model.
    public let layers: Int
    public let nodes: [Node]
    /// Tokens per second from each node to each.
    public let links: [[Double]]
    /// Tokens per second to a node with the first layer, and from one with the last.
    public let ends: Double

    /// - Throws: `ServingError` of code `cluster`.
    public init(
        layers: Int, nodes: [Node], links: [[Double]], ends: Double
    ) throws(ServingError) {
        guard layers >= 1, !nodes.isEmpty, links.count == nodes.count,
            links.allSatisfy({ $0.count == nodes.count })
        else { throw ServingError(.cluster, "layers, nodes and a link from each node to each expected") }
        let numbers = nodes.flatMap(\.rates) + links.flatMap(\.self) + [ends]
        guard numbers.allSatisfy({ $0 >= 0 }) else {
            throw ServingError(.cluster, "rates of nodes and links from 0 on expected")
        }
        self.layers = layers
        self.nodes = nodes
        self.links = links
        self.ends = ends
    }

    /// Tokens per second through nodes that hold layers.
    ///
    /// - Parameter spans: of each node its layers; an empty span takes no part.
    /// - Throws: `ServingError` of code `plan` for a span that is no part of the model, or has no room.
    public func flow(_ spans: [Range<Int>]) throws(ServingError) -> Double {
        guard spans.count == nodes.count else {
            throw ServingError(.plan, "\(spans.count) spans of \(nodes.count) nodes")
        }
        for (node, span) in zip(nodes, spans)
        where span.lowerBound < 0 || span.upperBound > layers || span.count > node.rates.count {
            throw ServingError(.plan, "\(node.name) cannot hold layers \(span)")
        }
        let sink = 2 * nodes.count + 1
        var network = FlowNetwork(nodes: sink + 1)
        func entry(_ node: Int) -> Int { 1 + 2 * node }
        for (index, span) in spans.enumerated() where !span.isEmpty {
            // A token is worth one: the cheapest flow is the largest.
            network.add(
                from: entry(index), to: entry(index) + 1, capacity: nodes[index].rates[span.count - 1],
                cost: span.upperBound == layers ? -1 : 0)
            if span.lowerBound == 0 { network.add(from: 0, to: entry(index), capacity: ends) }
            if span.upperBound == layers { network.add(from: entry(index) + 1, to: sink, capacity: ends) }
            for (next, other) in spans.enumerated()
            where !other.isEmpty && other.lowerBound == span.upperBound {
                network.add(from: entry(index) + 1, to: entry(next), capacity: links[index][next])
            }
        }
        var total = 0.0
        network.pushWhileCheap(from: 0, to: sink) { amount, _ in total += amount }
        return total
    }

    /// The layers of the best chain in which every node has a place: each holds as many as it can at the rate
    /// of the whole, the first ones first.
    ///
    /// - Returns: nil when all nodes together cannot hold the model.
    public func chain() -> [Range<Int>]? {
        let bars = Set(nodes.flatMap(\.rates)).sorted(by: >)
        for bar in bars {
            let most = nodes.map { node in (node.rates.lastIndex { $0 >= bar } ?? -1) + 1 }
            guard most.reduce(0, +) >= layers else { continue }
            var next = 0
            return most.map { count in
                let first = next
                next = min(layers, next + count)
                return first..<next
            }
        }
        return nil
    }
}
