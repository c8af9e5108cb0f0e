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
    /// Degrees above nine are set apart by `x`, as in `1x16x4`. `ga` is plain, `gc` checkpoints, `zero-dp` shards, `zero-offload` offloads, and `+gc` checkpoints too.
    ///
    /// - Returns: nil for text of no such form, and for digits that do not multiply to `gpus`.
    public init?(notation: String, gpus: Int) {
        let words = notation.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard gpus > 0, let word = words.first, words.count == 1 || words == [word, "gc"] else { return nil }
        let checkpointing = words.count == 2 || word == "gc"
        if let degrees = Self.degrees(word) {
            guard degrees.reduce(1, *) == gpus else { return nil }
            self.init(
                data: degrees[2], tensor: degrees[1], pipeline: degrees[0], checkpointing: checkpointing)
            return
        }
        switch word {
        case "ga", "gc": self.init(data: gpus, checkpointing: checkpointing)
        case "zero-dp": self.init(data: gpus, checkpointing: checkpointing, sharding: .sharded)
        case "zero-offload": self.init(data: gpus, checkpointing: checkpointing, sharding: .offload)
        case "tp": self.init(tensor: gpus, checkpointing: checkpointing)
        default: return nil
        }
    }

    /// Pipeline, tensor and data degree of `244` or `1x16x4`; nil for other text. No degree is above what a
    /// job may hold, so that their product is a number.
    private static func degrees(_ word: String) -> [Int]? {
        let parts = word.contains("x") ? word.split(separator: "x").map(String.init) : word.map { String($0) }
        let degrees = parts.compactMap { Int($0) }.filter { (1...65_536).contains($0) }
        return degrees.count == 3 && parts.count == 3 ? degrees : nil
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
