/// How long keys and values travel from a prefill to a decode layout.
public struct KVPath: Sendable, Hashable {
    /// Seconds per token of the prompt, in which the busiest network card is busy, as it lies in memory.
    public var plainPerToken: Double
    /// The same packed in fewer bits; not below it when nothing is packed.
    public var packedPerToken: Double
    /// Packing and unpacking, seconds.
    public var packing: Double
    /// Of the links, seconds.
    public var latency: Double

    /// Each stage sends the layers that it shares with a stage of the other side over the link between their
    /// nodes. Links of different nodes work at once, those of one node after another: a group that straddles
    /// nodes is as slow as its slowest part.
    public init(from: Layout, to: Layout, on hardware: ServingHardware) {
        let layerBytes = hardware.kvBytes
        let nodes = hardware.cluster.nodes.count
        var sending = [Double](repeating: 0, count: nodes)
        var receiving = sending
        var inside = sending
        var latency = 0.0
        var first = 0
        for source in from.stages {
            var second = 0
            for target in to.stages {
                let low = max(first, second)
                let high = min(first + source.layers, second + target.layers)
                second += target.layers
                guard high > low else { continue }
                let link = hardware.link(source.node, target.node)
                let seconds = Double(high - low) * layerBytes / link.bandwidth
                latency = max(latency, link.latency)
                if source.node == target.node {
                    inside[source.node] += seconds
                } else {
                    sending[source.node] += seconds
                    receiving[target.node] += seconds
                }
            }
            first += source.layers
        }
        self.latency = latency
        plainPerToken = (sending + receiving + inside).max() ?? 0
        packedPerToken =
            plainPerToken * hardware.precision.transferBytes * 8 / Double(hardware.precision.kvCacheBits)
        packing =
            hardware.precision.kvTransferBits < hardware.precision.kvCacheBits
            ? hardware.settings.quantisationSeconds : 0
    }

    private init() {
        (plainPerToken, packedPerToken, packing, latency) = (0, 0, 0, 0)
    }

    /// Takes no time.
    static let none = KVPath()

    /// Seconds for one prompt, packed where that is quicker.
    public func seconds(prompt: Double) -> Double {
        latency + min(plainPerToken * prompt, packing + packedPerToken * prompt)
    }

    /// Whether a prompt is quicker in fewer bits.
    private func isPacked(_ prompt: Double) -> Bool {
        packing + packedPerToken * prompt < plainPerToken * prompt
    }

    /// Seconds of one prompt in which the network is busy with it.
    public func busy(prompt: Double) -> Double {
        isPacked(prompt) ? packedPerToken * prompt : plainPerToken * prompt
    }

    /// Bytes that leave per token of a prompt, of all layers.
    public func bytes(_ hardware: ServingHardware, prompt: Double) -> Double {
        let plain = Double(hardware.model.layers) * hardware.kvBytes
        guard isPacked(prompt) else { return plain }
        return plain * hardware.precision.transferBytes * 8 / Double(hardware.precision.kvCacheBits)
    }
}

/// Which prefill and decode layouts an engine can pair.
public struct EngineCapabilities: Sendable, Hashable, Codable {
    /// Whether keys and values can go to fewer GPUs than they come from, or to a number that is no multiple;
    /// engines have crashed and hung there (vllm#43523, vllm#14952, sglang#31295).
    public var anyTensorRatio = false

    public init(anyTensorRatio: Bool = false) { self.anyTensorRatio = anyTensorRatio }

    /// Whether every stage hands its layers to stages of the same number of GPUs or a multiple of it.
    public func allows(from: Layout, to: Layout) -> Bool {
        guard !anyTensorRatio else { return true }
        var first = 0
        for source in from.stages {
            var second = 0
            for target in to.stages {
                let overlaps = max(first, second) < min(first + source.layers, second + target.layers)
                if overlaps, target.tensor % source.tensor != 0 { return false }
                second += target.layers
            }
            first += source.layers
        }
        return true
    }
}
