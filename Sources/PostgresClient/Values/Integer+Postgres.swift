extension Int16: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .int2 }
    public static var postgresArrayType: PostgresType { .int2Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: self)
    }

    public static func encodeArray(_ elements: [Int16], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .int2, to: &buffer) { $0 }
    }

    public static func decode(from cell: PostgresCell) throws -> Int16 {
        try PostgresInteger.decode(cell)
    }
}

extension Int32: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: PostgresType { .int4Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: self)
    }

    public static func encodeArray(_ elements: [Int32], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .int4, to: &buffer) { $0 }
    }

    public static func decode(from cell: PostgresCell) throws -> Int32 {
        try PostgresInteger.decode(cell)
    }
}

extension Int64: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: self)
    }

    public static func encodeArray(_ elements: [Int64], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .int8, to: &buffer) { $0 }
    }

    public static func decode(from cell: PostgresCell) throws -> Int64 {
        try PostgresInteger.decode(cell)
    }
}

extension Int: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: Int64(self))
    }

    public static func encodeArray(_ elements: [Int], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .int8, to: &buffer) { Int64($0) }
    }

    public static func decode(from cell: PostgresCell) throws -> Int {
        try PostgresInteger.decode(cell)
    }
}

/// `xid8`, PostgreSQL's 64-bit transaction id. Reading also accepts integers that are not negative.
extension UInt64: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .xid8 }
    public static var postgresArrayType: PostgresType { .xid8Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: self)
    }

    public static func encodeArray(_ elements: [UInt64], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .xid8, to: &buffer) { $0 }
    }

    public static func decode(from cell: PostgresCell) throws -> UInt64 {
        try PostgresInteger.decode(cell)
    }
}

/// Reading of whole numbers: any integer type and `numeric`, exact or an error.
enum PostgresInteger {
    static func decode<Integer: FixedWidthInteger>(_ cell: PostgresCell) throws -> Integer {
        try cell.requireBinary()
        switch cell.type {
        case .int8: return try exactly(cell.integer(Int64.self))
        case .int4: return try exactly(cell.integer(Int32.self))
        case .int2: return try exactly(cell.integer(Int16.self))
        case .xid8: return try exactly(cell.integer(UInt64.self))
        case .oid, .xid: return try exactly(cell.integer(UInt32.self))
        case .numeric:
            // sum(bigint) and count-like expressions come as numeric; a fraction of zeros is none.
            let text = try PostgresNumeric.text(of: cell)
            let parts = text.split(separator: ".", maxSplits: 1)
            let hasFraction = parts.count == 2 && parts[1].contains { $0 != "0" }
            guard !hasFraction, let whole = parts.first, let value = Integer(whole) else {
                throw outOfRange
            }
            return value
        default: throw PostgresDecodingFailure.wrongType
        }
    }

    private static let outOfRange = PostgresDecodingFailure("the value is out of range or not whole")

    private static func exactly<Integer: FixedWidthInteger>(
        _ value: some FixedWidthInteger
    ) throws -> Integer {
        guard let result = Integer(exactly: value) else { throw outOfRange }
        return result
    }
}
