/// A model as far as time and memory depend on it.
public struct ModelDescription: Sendable, Hashable, Codable {
    public var name: String
    public var parameters: Double
    /// Sequences per step; never changed by a plan.
    public var globalBatch: Int
    public var hidden: Int
    public var layers: Int
    /// Tokens.
    public var sequence: Int
    /// Attention heads.
    public var heads: Int
    /// Tokens of the embedding.
    public var vocabulary: Int

    public init(
        name: String, parameters: Double, globalBatch: Int, hidden: Int, layers: Int, sequence: Int,
        heads: Int = 16, vocabulary: Int = 50_257
    ) {
        self.name = name
        self.parameters = parameters
        self.globalBatch = globalBatch
        self.hidden = hidden
        self.layers = layers
        self.sequence = sequence
        self.heads = heads
        self.vocabulary = vocabulary
    }

    /// Parameters in units of 2²⁰, in which the performance model counts.
    public var mebiParameters: Double { parameters / 1_048_576 }
    /// Parameters in units of 2³⁰, in which the memory model counts.
    public var gibiParameters: Double { parameters / 1_073_741_824 }
}
