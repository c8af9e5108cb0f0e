/// A model on a cluster: every block that can be formed, with its costs.
public struct ServingHardware: Sendable {
    /// GPUs that may share layers; more make no plan better on one machine.
    static let tensorSizes = [1, 2, 4, 8]

    public let cluster: ServingCluster
    public let model: ModelShape
    public let precision: ServingPrecision
    public let settings: CostSettings
    /// Of each node.
    public let types: [GPUType]
    /// Between the GPUs of each node.
    public let intra: [Link]
    /// Of each node, by position of `tensorSizes`; nil where such a block is impossible.
    private let blocks: [[BlockCosts?]]

    /// - Throws: `ServingError` for a cluster, model or setting that cannot be.
    public init(
        cluster: ServingCluster, model: ModelShape, precision: ServingPrecision = .init(),
        settings: CostSettings = .init(), catalogue: ServingCatalogue
    ) throws(ServingError) {
        var types: [GPUType] = []
        for node in cluster.nodes { types.append(try catalogue.gpu(node.type)) }
        try self.init(
            cluster: cluster, model: model, precision: precision, settings: settings, types: types)
    }

    /// - Parameter types: of each node.
    public init(
        cluster: ServingCluster, model: ModelShape, precision: ServingPrecision = .init(),
        settings: CostSettings = .init(), types: [GPUType]
    ) throws(ServingError) {
        try cluster.validate()
        try model.validate()
        try precision.validate()
        try settings.validate()
        self.cluster = cluster
        self.model = model
        self.precision = precision
        self.settings = settings
        self.types = types
        let intra = zip(cluster.nodes, types).map { $0.intra ?? $1.usualIntra }
        self.intra = intra
        blocks = cluster.nodes.indices.map { node in
            Self.tensorSizes.map { tensor in
                guard tensor <= cluster.nodes[node].count, model.divides(by: tensor) else { return nil }
                return BlockCosts(
                    types[node], tensor: tensor, intra: intra[node], model: model, precision: precision,
                    settings: settings)
            }
        }
    }

    /// - Returns: nil where such a block is impossible.
    func block(node: Int, tensor: Int) -> BlockCosts? {
        guard let position = Self.tensorSizes.firstIndex(of: tensor) else { return nil }
        return blocks[node][position]
    }

    func link(_ from: Int, _ to: Int) -> Link { cluster.link(from, to, intra: intra) }

    /// Bytes of one layer's weights.
    var layerBytes: Double { model.layerParameters * precision.weights.bytesPerWeight }

    /// Bytes of keys and values per token and layer, in memory.
    var kvBytes: Double { model.kvElements * Double(precision.kvCacheBits) / 8 }

    /// Bytes that weights and cache of a block may take.
    func usableBytes(node: Int, tensor: Int) -> Double {
        Double(tensor) * (types[node].memoryBytes * settings.memoryUse - settings.reservedBytes)
    }

    /// Bytes of the embedding on the first, and of the head on the last stage.
    func headBytes(stage: Int, of stages: Int) -> Double {
        guard settings.countsHead else { return 0 }
        let table = model.headParameters * 2
        if stages == 1 { return model.tiedEmbeddings ? table : 2 * table }
        return stage == 0 || stage == stages - 1 ? table : 0
    }
}
