/// Parameters in their wire form, in one buffer, as libpq takes them.
struct EncodedParameters: Sendable {
    /// The protocol counts parameters in 16 bits.
    static let maximumCount = 65_535

    private(set) var types: [UInt32] = []
    private var formats: [Int32] = []
    private var lengths: [Int32] = []
    /// Where each value starts; -1 for NULL.
    private var starts: [Int] = []
    private var buffer = PostgresBuffer()

    init(_ values: [any PostgresEncodable]) throws {
        guard values.count <= Self.maximumCount else {
            throw PostgresError(
                .limitExceeded, "\(values.count) parameters; the protocol allows \(Self.maximumCount)")
        }
        types.reserveCapacity(values.count)
        formats.reserveCapacity(values.count)
        lengths.reserveCapacity(values.count)
        starts.reserveCapacity(values.count)
        for value in values { try append(value) }
    }

    private mutating func append(_ value: some PostgresEncodable) throws {
        let format = type(of: value).postgresFormat
        types.append(type(of: value).postgresType.rawValue)
        formats.append(format.rawValue)
        guard !value.isPostgresNull else {
            starts.append(-1)
            lengths.append(0)
            return
        }
        let start = buffer.count
        try value.encode(into: &buffer)
        guard let length = Int32(exactly: buffer.count - start) else {
            throw PostgresError(.limitExceeded, "a parameter is longer than 2 GiB")
        }
        // libpq reads text up to a NUL; for binary the byte only keeps an empty value's pointer valid.
        buffer.append(byte: 0)
        starts.append(start)
        lengths.append(length)
    }

    var count: Int32 { Int32(types.count) }

    /// Calls `body` with libpq's arrays: types, values, lengths, formats.
    func withPointers<Result>(
        _ body: (
            UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        buffer.bytes.withUnsafeBytes { bytes in
            let values = starts.map { start -> UnsafePointer<CChar>? in
                guard start >= 0 else { return nil }
                return bytes.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
            }
            return types.withUnsafeBufferPointer { types in
                values.withUnsafeBufferPointer { values in
                    lengths.withUnsafeBufferPointer { lengths in
                        formats.withUnsafeBufferPointer { formats in
                            body(
                                types.baseAddress, values.baseAddress, lengths.baseAddress,
                                formats.baseAddress)
                        }
                    }
                }
            }
        }
    }
}
