/// Models whose profiles and parameters are published (AlibabaPAI/reconfigurable-dl-scheduler, Apache-2.0).
public struct CatalogueModel: Sendable, Hashable {
    public var performance: PerformanceModel
    /// Milliseconds of the whole forward pass on one GPU.
    public var forward: Double
    /// Largest micro-batch of a GPU with plain data parallelism; 0 where not even one fits.
    public var microBatch: Int
    /// The same where the optimizer is sharded, or on the host.
    public var microBatchSharded: Int
    public var microBatchOffload: Int

    public var name: String { performance.model.name }

    /// Under its name in traces, whatever the case.
    public static func named(_ name: String) -> CatalogueModel? {
        let name = name.lowercased()
        let canonical = ["llama7b": "llama7", "llama30b": "llama30"][name] ?? name
        return all.first { $0.name == canonical }
    }

    public static let all = [
        CatalogueModel(
            ModelDescription(
                name: "vit", parameters: 85_952_456, globalBatch: 64, hidden: 768, layers: 12, sequence: 1024,
                heads: 12, vocabulary: 1000),
            [2.118846909, 1.623044014, 1e-8, 2.626794104, 7.53543924, 16.6507081, 18.44163169],
            PerformanceConstants(hostLink: 64, nodeLink: 34.057018), forward: 40, microBatch: 64),
        CatalogueModel(
            ModelDescription(
                name: "roberta", parameters: 355_412_057, globalBatch: 64, hidden: 1024, layers: 24,
                sequence: 1024),
            [1.722621609, 1.205493104, 1e-8, 2.200462132, 15.73715001, 16.6352584, 32.95307671],
            PerformanceConstants(hostLink: 7.9107385, nodeLink: 50.303644), forward: 480, microBatch: 64),
        CatalogueModel(
            ModelDescription(
                name: "bert", parameters: 336_297_858, globalBatch: 32, hidden: 1536, layers: 24,
                sequence: 1024),
            [1.776250735, 1.141039098, 1e-8, 4.400603962, 15.25746464, 37.288983, 26.22188111],
            PerformanceConstants(hostLink: 64, nodeLink: 119.487912, checkpointedForwards: 1.8), forward: 225,
            microBatch: 32),
        CatalogueModel(
            ModelDescription(
                name: "t5", parameters: 1_240_809_472, globalBatch: 16, hidden: 1280, layers: 16,
                sequence: 768),
            [2.063142551, 4, 1e-8, 2.378599893, 18.77189321, 360.1285656, 87.4827394],
            PerformanceConstants(hostLink: 64, nodeLink: 88.57), forward: 410, microBatch: 16),
        CatalogueModel(
            ModelDescription(
                name: "gpt2", parameters: 1_557_686_400, globalBatch: 16, hidden: 1600, layers: 24,
                sequence: 1024,
                heads: 25),
            [2.295505555, 71.2165854, 0.052171418, 4.877226917, 1.786485025, 0.027912731, 51.48938819],
            PerformanceConstants(hostLink: 59.72, nodeLink: 144.837637), forward: 1100, microBatch: 16),
        CatalogueModel(
            ModelDescription(
                name: "llama7", parameters: 6_738_423_808, globalBatch: 8, hidden: 4096, layers: 32,
                sequence: 2048, heads: 32, vocabulary: 32_000),
            llama, PerformanceConstants(hostLink: 0.96, nodeLink: 150), forward: 2990, microBatch: 0,
            sharded: 2, offload: 8),
        CatalogueModel(
            ModelDescription(
                name: "llama30", parameters: 33_170_309_120, globalBatch: 4, hidden: 5120, layers: 40,
                sequence: 2048, heads: 40, vocabulary: 32_000),
            llama, PerformanceConstants(hostLink: 0.96, nodeLink: 150), forward: 11_000, microBatch: 0,
            sharded: 0, offload: 0),
    ]

    /// Set by hand by their authors.
    private static let llama: [Double] = [2, 10, 0.03, 4, 1.04927576, 1.119206693, 1000]

    private init(
        _ model: ModelDescription, _ parameters: [Double], _ constants: PerformanceConstants,
        forward: Double, microBatch: Int, sharded: Int? = nil, offload: Int? = nil
    ) {
        let values = PerformanceParameters(parameters) ?? .unfitted
        performance = PerformanceModel(model: model, parameters: values, constants: constants)
        self.forward = forward
        self.microBatch = microBatch
        microBatchSharded = sharded ?? microBatch
        microBatchOffload = offload ?? microBatch
    }
}

extension PerformanceParameters {
    /// Before anything is known: no overlap, a backward pass of two forward ones.
    public static let unfitted = PerformanceParameters(
        backward: 2, synchronisation: 1, optimizer: 0.01, hostOptimizer: 2, constant: 10, offload: 20,
        swap: 20)
}
