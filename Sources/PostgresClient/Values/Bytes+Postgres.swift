public import Foundation

/// Makes `[UInt8]` a `bytea`: the array of bytes is the value, not an array of values.
extension UInt8: PostgresArrayElement, PostgresArrayDecodable {
    public static var postgresElementType: PostgresType { .bytea }
    public static var postgresArrayType: PostgresType { .bytea }

    public func encodeElement(into buffer: inout PostgresBuffer) {
        buffer.append(byte: self)
    }

    public static func encodeArray(_ elements: [UInt8], into buffer: inout PostgresBuffer) {
        buffer.append(bytes: elements)
    }

    public static func decodeArray(from cell: PostgresCell) throws -> [UInt8] {
        try cell.requireBinary()
        guard cell.type == .bytea else { throw PostgresDecodingFailure.wrongType }
        return cell.withBytes { Array($0) }
    }
}

extension Data: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .bytea }
    public static var postgresArrayType: PostgresType { .byteaArray }

    public func encode(into buffer: inout PostgresBuffer) {
        buffer.append(bytes: self)
    }

    public static func decode(from cell: PostgresCell) throws -> Data {
        try cell.requireBinary()
        guard cell.type == .bytea else { throw PostgresDecodingFailure.wrongType }
        return cell.withBytes { Data($0) }
    }
}
