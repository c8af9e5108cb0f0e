/// A request for a completion, as far as the engine looks at it.
struct CompletionRequest: Decodable {
    struct Message: Decodable {
        var role: String
        var content: String?
    }

    struct StreamOptions: Decodable {
        var include_usage: Bool?
    }

    var model: String?
    /// Of `/v1/completions`.
    var prompt: String?
    /// Of `/v1/chat/completions`.
    var messages: [Message]?
    var max_tokens: Int?
    var max_completion_tokens: Int?
    var stream: Bool?
    var stream_options: StreamOptions?

    /// About one token for every four bytes.
    var promptTokens: Int {
        let bytes =
            (prompt?.utf8.count ?? 0) + (messages ?? []).reduce(0) { $0 + ($1.content?.utf8.count ?? 0) }
        return max(1, (bytes + 3) / 4)
    }

    var tokens: Int { max_completion_tokens ?? max_tokens ?? 16 }
}

/// An answer, or one piece of a streamed one.
struct CompletionAnswer: Encodable {
    struct Content: Encodable {
        var role: String?
        var content: String?
    }

    struct Choice: Encodable {
        var index = 0
        var text: String?
        var message: Content?
        var delta: Content?
        var finish_reason: String?
    }

    struct Usage: Encodable {
        var prompt_tokens: Int
        var completion_tokens: Int
        var total_tokens: Int

        init(prompt: Int, completion: Int) {
            prompt_tokens = prompt
            completion_tokens = completion
            total_tokens = prompt + completion
        }
    }

    var id: String
    var object: String
    var created: Int
    var model: String
    var choices: [Choice]
    var usage: Usage?
}

struct ModelList: Encodable {
    struct Model: Encodable {
        var id: String
        var object = "model"
        var created = 0
        var owned_by = "basalt"
    }

    var object = "list"
    var data: [Model]
}

struct EngineFailure: Encodable {
    struct Content: Encodable {
        var message: String
        var type: String
        var code: String
    }

    var error: Content
}

struct RoleMessage: Codable {
    var role: EngineRole
}
