/// What an agent says.
public enum AgentTurn: Sendable, Hashable, Codable {
    case call(ActionCall)
    /// To be parsed.
    case text(String)

    /// As a trace keeps it.
    public var text: String {
        switch self {
        case .call(let call): call.text
        case .text(let text): text
        }
    }

    func call(_ mode: ActionTextParser.Mode) throws(ActionTextFailure) -> ActionCall {
        switch self {
        case .call(let call): call
        case .text(let text): try ActionTextParser(mode).parse(text)
        }
    }
}

extension ActionCall {
    /// As a literal of Python, arguments with names in their order.
    public var text: String {
        let named = keywords.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.literal)" }
        return "\(name)(\((arguments.map(\.literal) + named).joined(separator: ", ")))"
    }

    /// The call between fences, as agents that speak in texts write it.
    public var fenced: String { "```\n\(text)\n```" }
}

extension ActionValue {
    /// As Python writes it.
    public var literal: String {
        switch self {
        case .null: return "None"
        case .bool(let value): return value ? "True" : "False"
        case .integer(let value): return String(value)
        case .number(let value): return String(value)
        case .text(let text):
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: "\\n").replacing("\r", with: "\\r")
            return "\"\(escaped)\""
        case .list(let values): return "[\(values.map(\.literal).joined(separator: ", "))]"
        case .mapping(let values):
            let pairs = values.sorted { $0.key < $1.key }
                .map { "\(ActionValue.text($0.key).literal): \($0.value.literal)" }
            return "{\(pairs.joined(separator: ", "))}"
        }
    }
}
