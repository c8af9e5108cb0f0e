/// The element of an array parameter.
///
/// `encodeArray` writes the whole parameter: concrete types write all elements at once, which is what makes
/// arrays of hundreds of elements cheap.
public protocol PostgresArrayElement {
    static var postgresElementType: PostgresType { get }
    static var postgresArrayType: PostgresType { get }
    /// Whether this element is NULL; then `encodeElement` is not called.
    var isPostgresNullElement: Bool { get }
    func encodeElement(into buffer: inout PostgresBuffer) throws
    static func encodeArray(_ elements: [Self], into buffer: inout PostgresBuffer) throws
}

/// The element of an array column.
public protocol PostgresArrayDecodable {
    static func decodeArray(from cell: PostgresCell) throws -> [Self]
}

extension PostgresArrayElement {
    public var isPostgresNullElement: Bool { false }

    public static func encodeArray(_ elements: [Self], into buffer: inout PostgresBuffer) throws {
        buffer.reserve(PostgresArrayLayout.headerSize + elements.count * 16)
        let hasNull = elements.contains { $0.isPostgresNullElement }
        PostgresArrayLayout.appendHeader(
            count: elements.count, hasNull: hasNull, elementType: postgresElementType, to: &buffer)
        for element in elements {
            if element.isPostgresNullElement {
                buffer.append(integer: Int32(-1))
            } else {
                try buffer.appendLengthPrefixed { try element.encodeElement(into: &$0) }
            }
        }
    }
}

extension PostgresArrayElement where Self: PostgresEncodable {
    public static var postgresElementType: PostgresType { postgresType }

    public func encodeElement(into buffer: inout PostgresBuffer) throws {
        try encode(into: &buffer)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    public static var postgresElementType: PostgresType { Wrapped.postgresElementType }
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
    public var isPostgresNullElement: Bool { self == nil }

    public func encodeElement(into buffer: inout PostgresBuffer) throws {
        try self?.encodeElement(into: &buffer)
    }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }

    public func encode(into buffer: inout PostgresBuffer) throws {
        try Element.encodeArray(self, into: &buffer)
    }
}

extension PostgresArrayDecodable where Self: PostgresDecodable {
    public static func decodeArray(from cell: PostgresCell) throws -> [Self] {
        try PostgresArrayLayout.elements(of: cell).map { element in
            if let element { return try decode(from: element) }
            if let null = postgresNull { return null }
            throw PostgresDecodingFailure("an element is NULL")
        }
    }
}

extension Optional: PostgresArrayDecodable where Wrapped: PostgresDecodable & PostgresArrayDecodable {}

extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    public static func decode(from cell: PostgresCell) throws -> [Element] {
        try Element.decodeArray(from: cell)
    }
}
