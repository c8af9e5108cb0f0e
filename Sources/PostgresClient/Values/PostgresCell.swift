/// One value of a result that is not NULL.
public struct PostgresCell: Sendable {
    public let type: PostgresType
    public let format: PostgresFormat
    private let storage: [UInt8]
    private let range: Range<Int>

    init(type: PostgresType, format: PostgresFormat, storage: [UInt8], range: Range<Int>) {
        self.type = type
        self.format = format
        self.storage = storage
        self.range = range
    }

    public var count: Int { range.count }

    /// The bytes of the value, for the time of `body`.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// A big-endian integer that fills the value exactly.
    func integer<Integer: FixedWidthInteger>(_: Integer.Type) throws -> Integer {
        guard range.count == MemoryLayout<Integer>.size else { throw PostgresDecodingFailure.wrongLength }
        return withBytes { Integer(bigEndian: $0.loadUnaligned(as: Integer.self)) }
    }

    /// The value as UTF-8, without looking at its type.
    func utf8() throws -> String {
        guard let text = withBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw PostgresDecodingFailure("the value is not UTF-8")
        }
        return text
    }

    /// A part of this cell as a cell of its own, for the elements of an array.
    func element(type: PostgresType, at offset: Int, count: Int) -> PostgresCell {
        let start = range.lowerBound + offset
        return PostgresCell(type: type, format: format, storage: storage, range: start..<start + count)
    }

    /// Results of scripts are text; only text types can be read from them.
    func requireBinary() throws {
        guard format == .binary else {
            throw PostgresDecodingFailure("the column is in text format")
        }
    }
}
