extension GPUType {
    /// Name of the type that stands for processors of a host without GPUs.
    public static let processorsName = "CPU"

    /// So many processors in place of a GPU: rough figures, good enough to share requests out by.
    ///
    /// - Parameters:
    ///   - cores: that an engine gets.
    ///   - memoryGB: that an engine gets, 10⁹ bytes.
    public static func processors(cores: Double, memoryGB: Double) -> GPUType {
        GPUType(
            name: processorsName, memoryGB: memoryGB,
            // A core reads about 10 GB/s and multiplies at about 50 GFLOPS with wide vectors.
            bandwidthGBps: 10 * max(cores, 0.1), denseTFLOPS: 0.05 * max(cores, 0.1), fp8TFLOPS: nil,
            fp4TFLOPS: nil, link: "memory", linkGBps: 10, pcieGBps: 10, tdpWatts: nil, bf16: true, fp8: false,
            prefillMFU: 0.5, decodeMBU: 0.5, prices: [], specificationSource: "rule of thumb",
            calibrationSource: "rule of thumb", confidence: "low")
    }
}

extension ServingCatalogue {
    /// The type that a driver's name of a device means, such as `NVIDIA A100-SXM4-80GB`.
    ///
    /// - Parameter memoryMiB: tells variants of one type apart.
    /// - Returns: nil for devices that the catalogue does not have.
    public func gpu(ofDevice model: String, memoryMiB: Int) -> GPUType? {
        if let exact = gpus.first(where: { $0.name.lowercased() == model.lowercased() }) { return exact }
        let words = Set(Self.words(model))
        let memory = Double(memoryMiB) * 1_048_576 / 1e9
        // Numbers tell memory, and makers' words tell little: the rest must all be there.
        let candidates = gpus.filter { type in
            let own = Self.words(type.name).filter { Int($0) == nil && !Self.plain.contains($0) }
            return !own.isEmpty && own.allSatisfy { name in words.contains { $0 == name } }
                && abs(type.memoryGB - memory) <= 0.15 * type.memoryGB
        }
        // The one that says the most of the name; of those the nearest in memory.
        return candidates.max {
            let (left, right) = (
                Self.words($0.name).count(where: words.contains),
                Self.words($1.name).count(where: words.contains)
            )
            if left != right { return left < right }
            return abs($0.memoryGB - memory) > abs($1.memoryGB - memory)
        }
    }

    private static let plain: Set = ["sxm", "pcie", "nvl", "server", "rtx"]

    /// `SXM4` is `sxm`, `RTX3090` is `rtx` and `3090`.
    private static func words(_ name: String) -> [String] {
        name.lowercased().split { !$0.isLetter && !$0.isNumber }.map { word in
            word.hasPrefix("sxm") ? "sxm" : String(word)
        }
    }
}
