internal import Foundation

/// The dimensions of a language model, as far as costs depend on them.
public struct ModelShape: Sendable, Hashable, Codable {
    public var name: String
    public var layers: Int
    public var hidden: Int
    /// Query heads.
    public var heads: Int
    public var kvHeads: Int
    public var headDimension: Int
    /// Of one expert, where there are experts.
    public var feedForward: Int
    public var vocabulary: Int
    /// Whether the feed-forward part has three matrices instead of two.
    public var gated: Bool
    public var tiedEmbeddings: Bool
    public var experts: Int?
    public var expertsPerToken: Int?
    public var sharedExperts: Int?
    /// Elements per token and layer of a latent KV cache, which replaces keys and values of heads.
    public var latentKV: Int?
    /// Where the dimensions do not add up to them.
    public var totalParameters: Double?
    /// Of one token, where the dimensions do not add up to them.
    public var activeParameters: Double?
    /// Tokens.
    public var maxContext: Int?
    /// Where the dimensions come from.
    public var source: String?
    public var note: String?

    public init(
        name: String, layers: Int, hidden: Int, heads: Int, kvHeads: Int, headDimension: Int,
        feedForward: Int, vocabulary: Int, gated: Bool = true, tiedEmbeddings: Bool = false,
        experts: Int? = nil, expertsPerToken: Int? = nil, sharedExperts: Int? = nil, maxContext: Int? = nil,
        source: String? = nil
    ) {
        self.name = name
        self.layers = layers
        self.hidden = hidden
        self.heads = heads
        self.kvHeads = kvHeads
        self.headDimension = headDimension
        self.feedForward = feedForward
        self.vocabulary = vocabulary
        self.gated = gated
        self.tiedEmbeddings = tiedEmbeddings
        self.experts = experts
        self.expertsPerToken = expertsPerToken
        self.sharedExperts = sharedExperts
        self.maxContext = maxContext
        self.source = source
    }
}

extension ModelShape {
    /// Of the four projections around attention, per layer.
    private var attentionParameters: Double {
        Double(2 * hidden * heads * headDimension + 2 * hidden * kvHeads * headDimension)
    }

    private var expertParameters: Double { Double((gated ? 3 : 2) * hidden * feedForward) }

    /// What every token reads, per layer.
    public var sharedLayerParameters: Double {
        if let activeParameters, let totalParameters, let experts, let expertsPerToken {
            // Total and active differ by the experts that a token does not read.
            let routed = (totalParameters - activeParameters) / Double(experts - expertsPerToken)
            return (totalParameters - headParameters * 2 - routed * Double(experts)) / Double(layers)
        }
        guard let experts else { return attentionParameters + expertParameters }
        // The router has a column per expert.
        return attentionParameters + Double(hidden * experts)
            + Double(sharedExperts ?? 0) * expertParameters
    }

    /// Of all experts that tokens choose from, per layer; 0 without experts.
    public var routedLayerParameters: Double {
        guard let experts else { return 0 }
        if let activeParameters, let totalParameters, let expertsPerToken {
            return (totalParameters - activeParameters) / Double(experts - expertsPerToken)
                * Double(experts) / Double(layers)
        }
        return Double(experts) * expertParameters
    }

    /// Share of the routed parameters that one token reads.
    public var expertShare: Double {
        guard let experts, let expertsPerToken else { return 0 }
        return Double(expertsPerToken) / Double(experts)
    }

    /// Stored per layer.
    public var layerParameters: Double { sharedLayerParameters + routedLayerParameters }

    /// Of one token, per layer.
    public var activeLayerParameters: Double {
        sharedLayerParameters + routedLayerParameters * expertShare
    }

    /// Of the embedding, and again of the head where they are not tied.
    public var headParameters: Double { Double(vocabulary * hidden) }

    /// Of the whole model.
    public var parameters: Double {
        Double(layers) * layerParameters + headParameters * (tiedEmbeddings ? 1 : 2)
    }

    /// Elements of keys and values per token and layer.
    public var kvElements: Double { Double(latentKV ?? 2 * kvHeads * headDimension) }

    /// Whether heads can be dealt out to so many GPUs; KV heads are copied where there are fewer.
    public func divides(by tensor: Int) -> Bool {
        heads % tensor == 0 && (latentKV != nil || kvHeads % tensor == 0 || tensor % kvHeads == 0)
    }

    /// Every defect that would make costs meaningless.
    ///
    /// - Throws: `ServingError` of code `model`.
    func validate() throws(ServingError) {
        let sizes = [
            ("layers", layers, 1000), ("hidden", hidden, 1 << 20), ("heads", heads, 4096),
            ("kvHeads", kvHeads, 4096), ("headDimension", headDimension, 1 << 16),
            ("feedForward", feedForward, 1 << 24), ("vocabulary", vocabulary, 1 << 24),
        ]
        for (field, value, limit) in sizes where value < 1 || value > limit {
            throw ServingError(.model, "\(name): \(field) is \(value), 1 to \(limit) expected")
        }
        if let experts, experts < 1 || experts > 4096 || !(1...experts).contains(expertsPerToken ?? 0) {
            throw ServingError(.model, "\(name): \(expertsPerToken ?? 0) of \(experts) experts per token")
        }
    }
}
