internal import Fleet

extension Kind {
    /// Kinds that `get` takes, as users type them.
    static var readableNames: [String] { Kind.allCases.filter { $0 != .token }.map(\.plural) }
    static var documentNames: [String] { Kind.allCases.filter(\.isDocument).map(\.plural) }

    /// Any kind that can be read.
    static func readable(_ text: String) throws -> Kind {
        guard let kind = Kind(named: text), kind != .token else {
            throw CommandFailure(NearestChoice.refusal("kind", text, among: readableNames))
        }
        return kind
    }

    /// A kind whose documents users write.
    static func document(_ text: String) throws -> Kind {
        guard let kind = Kind(named: text), kind.isDocument else {
            throw CommandFailure(NearestChoice.refusal("kind", text, among: documentNames))
        }
        return kind
    }

    /// The kind in messages and in `-o name`: `vm`.
    var singular: String { rawValue.lowercased() }
}
