internal import APITypes
internal import Fleet

/// A place in a document: `.status.conditions[0].reason`, with or without braces around it.
struct FieldPath: Sendable, Equatable {
    private enum Step: Sendable, Equatable {
        case member(String)
        case item(Int)
    }

    private var steps: [Step] = []

    /// - Throws: ``CommandFailure`` with an example.
    init(_ text: String) throws {
        var inner = text[...]
        if inner.hasPrefix("{"), inner.hasSuffix("}") { inner = inner.dropFirst().dropLast() }
        for part in inner.drop(while: { $0 == "." }).split(separator: ".", omittingEmptySubsequences: false) {
            var pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let name = pieces.removeFirst()
            guard !name.isEmpty else { throw Self.failure(text) }
            steps.append(.member(String(name)))
            for piece in pieces {
                guard piece.hasSuffix("]"), let index = Int(piece.dropLast()), index >= 0 else {
                    throw Self.failure(text)
                }
                steps.append(.item(index))
            }
        }
        guard !steps.isEmpty else { throw Self.failure(text) }
    }

    private static func failure(_ text: String) -> CommandFailure {
        CommandFailure("\"\(text)\" is no path; write .status.host or .status.conditions[0].reason")
    }

    /// The value there as text: a string as it is, everything else as JSON. Nil when there is none or null.
    func text(in document: WireDocument) -> String? {
        // why: a document that cannot be written as JSON has no such field either
        guard var value = try? Serialization.tree(document) else { return nil }
        for step in steps {
            switch step {
            case .member(let name):
                guard let next = value[name] else { return nil }
                value = next
            case .item(let index):
                guard let items = value.array, index < items.count else { return nil }
                value = items[index]
            }
        }
        if value == .null { return nil }
        return value.string ?? Serialization.json(value, pretty: false)
    }
}
