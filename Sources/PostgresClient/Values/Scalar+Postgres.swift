public import Foundation

extension Bool: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: PostgresType { .boolArray }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(byte: self ? 1 : 0)
    }

    public static func encodeArray(_ elements: [Bool], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .bool, to: &buffer) { $0 ? UInt8(1) : 0 }
    }

    public static func decode(from cell: PostgresCell) throws -> Bool {
        try cell.requireBinary()
        guard cell.type == .bool else { throw PostgresDecodingFailure.wrongType }
        return try cell.integer(UInt8.self) != 0
    }
}

/// `double precision`. Reading accepts `real`, integers up to 32 bits and `numeric` (rounded) too.
extension Double: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .float8 }
    public static var postgresArrayType: PostgresType { .float8Array }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(integer: bitPattern)
    }

    public static func encodeArray(_ elements: [Double], into buffer: inout PostgresBuffer) {
        PostgresArrayLayout.appendIntegers(elements, elementType: .float8, to: &buffer) { $0.bitPattern }
    }

    public static func decode(from cell: PostgresCell) throws -> Double {
        try cell.requireBinary()
        switch cell.type {
        case .float8: return Double(bitPattern: try cell.integer(UInt64.self))
        case .float4: return Double(Float(bitPattern: try cell.integer(UInt32.self)))
        case .int4: return Double(try cell.integer(Int32.self))
        case .int2: return Double(try cell.integer(Int16.self))
        case .numeric:
            guard let value = Double(try PostgresNumeric.text(of: cell)) else {
                throw PostgresDecodingFailure("the number is out of range")
            }
            return value
        default: throw PostgresDecodingFailure.wrongType
        }
    }
}

extension UUID: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .uuid }
    public static var postgresArrayType: PostgresType { .uuidArray }

    public func encode(into buffer: inout PostgresBuffer) {
        withUnsafeBytes(of: uuid) { buffer.append(bytes: $0) }
    }

    public static func encodeArray(_ elements: [UUID], into buffer: inout PostgresBuffer) {
        buffer.reserve(PostgresArrayLayout.headerSize + elements.count * 20)
        PostgresArrayLayout.appendHeader(
            count: elements.count, hasNull: false, elementType: .uuid, to: &buffer)
        for element in elements {
            buffer.append(integer: Int32(16))
            element.encode(into: &buffer)
        }
    }

    public static func decode(from cell: PostgresCell) throws -> UUID {
        try cell.requireBinary()
        guard cell.type == .uuid else { throw PostgresDecodingFailure.wrongType }
        guard cell.count == 16 else { throw PostgresDecodingFailure.wrongLength }
        return UUID(uuid: cell.withBytes { $0.loadUnaligned(as: uuid_t.self) })
    }
}
