public import struct Foundation.UUID

/// A UUID that says what it names: an `ID<Plan>` cannot be passed where an `ID<Allocation>` is meant.
public struct ID<Subject>: Sendable, Hashable, Comparable {
    public let uuid: UUID

    public init(_ uuid: UUID) { self.uuid = uuid }

    /// Reads the canonical text form; nil when `text` is not a UUID.
    public init?(_ text: String) {
        guard let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// Order of the bytes: the order in which Postgres sorts `uuid`, so both sides lock rows alike.
    public static func < (lhs: ID, rhs: ID) -> Bool { lhs.uuid < rhs.uuid }
}

extension ID: CustomStringConvertible {
    /// Lower-case canonical text.
    public var description: String { uuid.uuidString.lowercased() }
}

extension ID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = ID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not a UUID")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
