/// How one step is spread over GPUs: the degrees of parallelism and what is traded for memory.
public struct ExecutionPlan: Sendable, Hashable, Codable {
    /// What a data-parallel rank does with its optimizer state.
    public enum Sharding: String, Sendable, Hashable, Codable, CaseIterable {
        /// Every rank holds all of it.
        case none
        /// Sharded over the data-parallel ranks.
        case sharded
        /// Sharded, and held and updated by the host.
        case offload
    }

    public var data: Int
    public var tensor: Int
    public var pipeline: Int
    /// Micro-steps whose gradients are added up before they are exchanged.
    public var accumulation: Int
    /// Forgets activations and computes them again.
    public var checkpointing: Bool
    public var sharding: Sharding

    public init(
        data: Int = 1, tensor: Int = 1, pipeline: Int = 1, accumulation: Int = 1,
        checkpointing: Bool = false, sharding: Sharding = .none
    ) {
        self.data = data
        self.tensor = tensor
        self.pipeline = pipeline
        self.accumulation = accumulation
        self.checkpointing = checkpointing
        self.sharding = sharding
    }

    public var gpus: Int { data * tensor * pipeline }

    /// Whether layers or their matrices are divided.
    public var isModelParallel: Bool { tensor > 1 || pipeline > 1 }
}

extension ExecutionPlan {
    /// The notation of published traces: digits are pipeline, tensor and data degree; words are
    /// data-parallel.
    ///
    /// `ga` is plain, `gc` checkpoints, `zero-dp` shards, `zero-offload` offloads, and `+gc` checkpoints too.
    ///
    /// - Returns: nil for text of no such form, and for digits that do not multiply to `gpus`.
    public init?(notation: String, gpus: Int) {
        let digits = notation.compactMap(\.wholeNumberValue)
        if digits.count == 3, notation.count == 3 {
            guard digits[0] * digits[1] * digits[2] == gpus else { return nil }
            self.init(data: digits[2], tensor: digits[1], pipeline: digits[0])
            return
        }
        let words = notation.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard gpus > 0, words.count == 1 || words == [words[0], "gc"] else { return nil }
        let checkpointing = words.count == 2 || words[0] == "gc"
        switch words[0] {
        case "ga", "gc": self.init(data: gpus, checkpointing: checkpointing)
        case "zero-dp": self.init(data: gpus, checkpointing: checkpointing, sharding: .sharded)
        case "zero-offload": self.init(data: gpus, checkpointing: checkpointing, sharding: .offload)
        case "tp": self.init(tensor: gpus, checkpointing: checkpointing)
        default: return nil
        }
    }

    /// The same notation; degrees above nine are set apart by `x`, as in `1x16x4`.
    public var notation: String {
        guard !isModelParallel else {
            let separator = max(data, tensor, pipeline) > 9 ? "x" : ""
            let degrees = [pipeline, tensor, data].map(String.init).joined(separator: separator)
            return degrees + (checkpointing ? "+gc" : "")
        }
        switch sharding {
        case .none: return checkpointing ? "gc" : "ga"
        case .sharded: return checkpointing ? "zero-dp+gc" : "zero-dp"
        case .offload: return checkpointing ? "zero-offload+gc" : "zero-offload"
        }
    }
}
