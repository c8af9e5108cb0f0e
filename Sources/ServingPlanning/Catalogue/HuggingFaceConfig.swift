public import Foundation

/// The members of a `config.json` of Hugging Face that give a model's shape.
struct HuggingFaceConfig: Decodable {
    var num_hidden_layers: Int
    var hidden_size: Int
    var num_attention_heads: Int
    var num_key_value_heads: Int?
    var head_dim: Int?
    var intermediate_size: Int?
    var moe_intermediate_size: Int?
    var ffn_dim: Int?
    var vocab_size: Int
    var tie_word_embeddings: Bool?
    var num_local_experts: Int?
    var num_experts: Int?
    var n_routed_experts: Int?
    var num_experts_per_tok: Int?
    var n_shared_experts: Int?
    var kv_lora_rank: Int?
    var qk_rope_head_dim: Int?
    var max_position_embeddings: Int?
    var hidden_act: String?
    var model_type: String?

    /// Families whose feed-forward part has two matrices.
    private static let plainFamilies: Set = ["opt", "phi", "gpt2", "gpt_neox", "bloom", "falcon"]

    func shape(named name: String) -> ModelShape {
        let experts = num_local_experts ?? num_experts ?? n_routed_experts
        var shape = ModelShape(
            name: name, layers: num_hidden_layers, hidden: hidden_size, heads: num_attention_heads,
            kvHeads: num_key_value_heads ?? num_attention_heads,
            headDimension: head_dim ?? hidden_size / max(num_attention_heads, 1),
            feedForward: (experts == nil ? nil : moe_intermediate_size) ?? intermediate_size ?? ffn_dim
                ?? 4 * hidden_size,
            vocabulary: vocab_size, gated: !Self.plainFamilies.contains(model_type ?? ""),
            tiedEmbeddings: tie_word_embeddings ?? false, experts: experts,
            expertsPerToken: experts == nil ? nil : num_experts_per_tok,
            sharedExperts: experts == nil ? nil : n_shared_experts, maxContext: max_position_embeddings,
            source: "config.json")
        if let kv_lora_rank { shape.latentKV = kv_lora_rank + (qk_rope_head_dim ?? 0) }
        return shape
    }
}

extension ModelShape {
    /// Reads a `config.json` of Hugging Face.
    ///
    /// - Throws: `ServingError` of code `model` for text that is none, and for dimensions that cannot be.
    public init(config: Data, name: String) throws(ServingError) {
        let parsed: HuggingFaceConfig
        do {
            parsed = try JSONDecoder().decode(HuggingFaceConfig.self, from: config)
        } catch {
            throw ServingError(.model, "\(name): \(ServingError.words(error))")
        }
        self = parsed.shape(named: name)
        try validate()
    }
}
