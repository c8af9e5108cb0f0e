/// Bytes that are being written for the server, integers in network order.
public struct PostgresBuffer: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public var count: Int { bytes.count }

    public mutating func reserve(_ additional: Int) {
        // Growing to the exact need each time would copy the buffer once per parameter.
        guard bytes.capacity < bytes.count + additional else { return }
        bytes.reserveCapacity(max(bytes.count + additional, bytes.capacity * 2))
    }

    public mutating func append(byte: UInt8) {
        bytes.append(byte)
    }

    public mutating func append(integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(bytes new: some Collection<UInt8>) {
        bytes.append(contentsOf: new)
    }

    public mutating func append(utf8 string: String) {
        var string = string
        string.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Writes an Int32 length, then what `body` writes: the form of every nested value of the protocol.
    public mutating func appendLengthPrefixed(
        _ body: (inout PostgresBuffer) throws -> Void
    ) throws {
        let start = bytes.count
        append(integer: Int32(0))
        try body(&self)
        let length = bytes.count - start - 4
        guard let length = Int32(exactly: length) else {
            throw PostgresError(.limitExceeded, "a value of \(length) bytes is longer than 2 GiB")
        }
        withUnsafeBytes(of: length.bigEndian) { prefix in
            for (offset, byte) in prefix.enumerated() { bytes[start + offset] = byte }
        }
    }

    /// Appends `count` zero bytes and lets `body` fill them in place.
    mutating func append(count: Int, filling body: (UnsafeMutableRawBufferPointer) -> Void) {
        let start = bytes.count
        reserve(count)
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { body(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }
}
