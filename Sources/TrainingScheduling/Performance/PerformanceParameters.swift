/// What is fitted for one model on one kind of GPU.
public struct PerformanceParameters: Sendable, Hashable, Codable {
    /// Backward over forward time.
    public var backward: Double
    /// How well the gradient exchange hides behind the backward pass: 1 not at all, ∞ wholly.
    public var synchronisation: Double
    /// Milliseconds of the optimizer per 2²⁰ parameters on a GPU.
    public var optimizer: Double
    /// The same on one thread of the host.
    public var hostOptimizer: Double
    /// Milliseconds that every step takes besides.
    public var constant: Double
    /// Milliseconds that gradients wait on their way to the host.
    public var offload: Double
    /// Milliseconds that parameters wait on their way back.
    public var swap: Double

    public init(
        backward: Double, synchronisation: Double, optimizer: Double, hostOptimizer: Double,
        constant: Double, offload: Double, swap: Double
    ) {
        self.backward = backward
        self.synchronisation = synchronisation
        self.optimizer = optimizer
        self.hostOptimizer = hostOptimizer
        self.constant = constant
        self.offload = offload
        self.swap = swap
    }

    /// In the order of the members.
    public init?(_ values: [Double]) {
        guard values.count == Self.count else { return nil }
        self.init(
            backward: values[0], synchronisation: values[1], optimizer: values[2], hostOptimizer: values[3],
            constant: values[4], offload: values[5], swap: values[6])
    }

    public var values: [Double] {
        [backward, synchronisation, optimizer, hostOptimizer, constant, offload, swap]
    }

    static let count = 7
    /// Names of the members, in their order.
    public static let names = [
        "backward", "synchronisation", "optimizer", "hostOptimizer", "constant", "offload", "swap",
    ]
    /// Bounds of the fit: a backward pass is one to ten forward ones, an overlap is no worse than none.
    static let lower: [Double] = [1, 1, 1e-8, 1e-8, 1e-8, 0, 0]
    static let upper: [Double] = [10, 100, 10, 100, 100_000, 100_000, 100_000]
    /// Where the first search of a fit begins.
    static let start: [Double] = [1.5, 1.1, 0.001, 1, 1, 1, 1]
}
