/// A value that can be read from a column.
public protocol PostgresDecodable {
    /// Reads a cell; throws `PostgresDecodingFailure` where type or content do not fit.
    static func decode(from cell: PostgresCell) throws -> Self
    /// What a NULL becomes; nil if it is not allowed.
    static var postgresNull: Self? { get }
}

extension PostgresDecodable {
    public static var postgresNull: Self? { nil }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public static func decode(from cell: PostgresCell) throws -> Wrapped? {
        try Wrapped.decode(from: cell)
    }

    public static var postgresNull: Wrapped?? { .some(.none) }
}

extension RawRepresentable where Self: PostgresDecodable, RawValue: PostgresDecodable {
    public static func decode(from cell: PostgresCell) throws -> Self {
        guard let value = Self(rawValue: try RawValue.decode(from: cell)) else {
            throw PostgresDecodingFailure("the value is not one of \(Self.self)")
        }
        return value
    }
}

/// Why a cell cannot be read; the row adds column and types. It never quotes the value.
public struct PostgresDecodingFailure: Error, Sendable, Hashable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    static let wrongType = PostgresDecodingFailure("the types do not match")
    static let wrongLength = PostgresDecodingFailure("the value has an unexpected length")
}
