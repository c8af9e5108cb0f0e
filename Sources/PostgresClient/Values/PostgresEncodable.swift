/// A value that can be sent as a parameter.
///
/// Values go in binary with a declared type, so what arrives is exact and nothing is guessed, except text:
/// `String` and `JSONText` leave their type to the server, so that they fit text, enums, json and jsonb.
/// Where nothing tells the server the type, write a cast: `jsonb_build_object('a', $1::text)`.
public protocol PostgresEncodable {
    /// The declared type of the parameter; static, so that a NULL is typed too.
    static var postgresType: PostgresType { get }
    static var postgresFormat: PostgresFormat { get }
    /// Whether the value is NULL; then `encode` is not called.
    var isPostgresNull: Bool { get }
    /// Writes the value without a length.
    func encode(into buffer: inout PostgresBuffer) throws
}

extension PostgresEncodable {
    public static var postgresFormat: PostgresFormat { .binary }
    public var isPostgresNull: Bool { false }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }
    public static var postgresFormat: PostgresFormat { Wrapped.postgresFormat }

    public var isPostgresNull: Bool {
        switch self {
        case .none: true
        case .some(let value): value.isPostgresNull
        }
    }

    public func encode(into buffer: inout PostgresBuffer) throws {
        try self?.encode(into: &buffer)
    }
}

extension RawRepresentable where Self: PostgresEncodable, RawValue: PostgresEncodable {
    public static var postgresType: PostgresType { RawValue.postgresType }
    public static var postgresFormat: PostgresFormat { RawValue.postgresFormat }

    public func encode(into buffer: inout PostgresBuffer) throws {
        try rawValue.encode(into: &buffer)
    }
}
