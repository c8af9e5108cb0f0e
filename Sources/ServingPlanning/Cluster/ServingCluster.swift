public import Foundation

/// Machines of GPUs and the paths between them.
public struct ServingCluster: Sendable, Hashable, Codable {
    /// GPUs of all nodes together: what a search in seconds is made for.
    public static let gpuLimit = 256

    public var nodes: [ServingNode]
    /// From node (row) to node (column), in the order of `nodes`; the diagonal is not looked at.
    public var links: [[Link]]

    private enum CodingKeys: String, CodingKey {
        case nodes = "cluster"
        case links
    }

    public init(nodes: [ServingNode], links: [[Link]]) {
        self.nodes = nodes
        self.links = links
    }

    /// Reads `{"cluster": [{node, type, count, price, intra?}], "links": N × N of [µs, GB/s]}`; other members
    /// are ignored.
    ///
    /// - Throws: `ServingError` of code `cluster`.
    public init(json: Data) throws(ServingError) {
        do {
            self = try JSONDecoder().decode(ServingCluster.self, from: json)
        } catch {
            throw ServingError(.cluster, "cluster: \(ServingError.words(error))")
        }
        try validate()
    }

    public var gpuCount: Int { nodes.reduce(0) { $0 + $1.count } }

    /// Dollars per hour of everything.
    public var pricePerHour: Double { nodes.reduce(0) { $0 + ($1.price ?? 0) } }

    /// The path between two nodes; within a node that of its GPUs.
    public func link(_ from: Int, _ to: Int, intra: [Link]) -> Link {
        from == to ? intra[from] : links[from][to]
    }

    func validate() throws(ServingError) {
        guard !nodes.isEmpty else { throw ServingError(.cluster, "cluster: no nodes") }
        var names: Set<String> = []
        for node in nodes {
            guard !node.node.isEmpty, !node.node.contains("/"), names.insert(node.node).inserted else {
                throw ServingError(.cluster, "cluster: \"\(node.node)\" is no name of a node of its own")
            }
            guard node.count >= 1, node.count <= 64 else {
                throw ServingError(.cluster, "\(node.node): \(node.count) GPUs, 1 to 64 expected")
            }
            guard node.price ?? 0 >= 0, (node.price ?? 0).isFinite else {
                throw ServingError(.cluster, "\(node.node): a price below 0")
            }
            if let intra = node.intra { try Self.check(intra, "\(node.node): intra") }
        }
        guard gpuCount <= Self.gpuLimit else {
            throw ServingError(.cluster, "cluster: \(gpuCount) GPUs, at most \(Self.gpuLimit) expected")
        }
        guard links.count == nodes.count, links.allSatisfy({ $0.count == nodes.count }) else {
            throw ServingError(.cluster, "links: \(nodes.count) rows of \(nodes.count) links expected")
        }
        for (row, from) in zip(links, nodes) {
            for (link, to) in zip(row, nodes) where from.node != to.node {
                try Self.check(link, "links: from \(from.node) to \(to.node)")
            }
        }
    }

    private static func check(_ link: Link, _ place: String) throws(ServingError) {
        guard link.latency >= 0, link.latency < 10, link.bandwidth > 0, link.bandwidth.isFinite else {
            throw ServingError(.cluster, "\(place): [µs, GB/s] expected, both positive")
        }
    }
}

/// A machine with GPUs of one type. A machine with two types is given as two nodes with a fast link.
public struct ServingNode: Sendable, Hashable, Codable {
    public var node: String
    /// Name of a `GPUType`.
    public var type: String
    public var count: Int
    /// Dollars per hour of the whole machine; nil is what the catalogue says of its GPUs.
    public var price: Double?
    /// Path between GPUs of the machine; nil is what is usual for the type.
    public var intra: Link?

    public init(node: String, type: String, count: Int, price: Double? = nil, intra: Link? = nil) {
        self.node = node
        self.type = type
        self.count = count
        self.price = price
        self.intra = intra
    }
}
