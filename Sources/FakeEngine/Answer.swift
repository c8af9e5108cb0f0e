internal import Foundation

/// What an engine says, whole and in pieces.
struct Answer: Sendable {
    var id: String
    var created: Int
    var model: String
    var isChat: Bool
    var promptTokens: Int
    var tokens: Int
    var includesUsage: Bool

    private static func text(_ range: Range<Int>) -> String {
        range.map { $0 == 0 ? "w0" : " w\($0)" }.joined()
    }

    private var usage: CompletionAnswer.Usage { .init(prompt: promptTokens, completion: tokens) }

    var whole: CompletionAnswer {
        let text = Self.text(0..<tokens)
        return CompletionAnswer(
            id: id, object: isChat ? "chat.completion" : "text_completion", created: created, model: model,
            choices: [
                isChat
                    ? .init(message: .init(role: "assistant", content: text), finish_reason: "length")
                    : .init(text: text, finish_reason: "length")
            ], usage: usage)
    }

    private func piece(_ choices: [CompletionAnswer.Choice]) -> CompletionAnswer {
        CompletionAnswer(
            id: id, object: isChat ? "chat.completion.chunk" : "text_completion", created: created,
            model: model, choices: choices)
    }

    /// One piece of the stream.
    func event(_ range: Range<Int>) throws -> String {
        let text = Self.text(range)
        let reason = range.upperBound == tokens ? "length" : nil
        let role = range.lowerBound == 0 ? "assistant" : nil
        return try Self.event(
            piece([
                isChat
                    ? .init(delta: .init(role: role, content: text), finish_reason: reason)
                    : .init(text: text, finish_reason: reason)
            ]))
    }

    /// What ends the stream.
    func ending() throws -> String {
        guard includesUsage else { return "data: [DONE]\n\n" }
        var last = piece([])
        last.usage = usage
        return try Self.event(last) + "data: [DONE]\n\n"
    }

    private static func event(_ piece: CompletionAnswer) throws -> String {
        "data: \(String(decoding: try JSONEncoder().encode(piece), as: UTF8.self))\n\n"
    }
}
