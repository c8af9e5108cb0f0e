/// The binary form of a one-dimensional array.
///
/// Int32 dimensions, Int32 has-NULL flag, element OID; per dimension Int32 count and Int32 lower bound; then
/// per element an Int32 length (-1 for NULL) and its bytes. An empty array has no dimensions.
enum PostgresArrayLayout {
    static let headerSize = 20

    static func appendHeader(
        count: Int, hasNull: Bool, elementType: PostgresType, to buffer: inout PostgresBuffer
    ) {
        buffer.append(integer: Int32(count == 0 ? 0 : 1))
        buffer.append(integer: Int32(hasNull ? 1 : 0))
        buffer.append(integer: elementType.rawValue)
        guard count > 0 else { return }
        buffer.append(integer: Int32(clamping: count))
        buffer.append(integer: Int32(1))
    }

    /// Writes an array of fixed-width integers (or bit patterns) in one pass over one allocation.
    @inline(__always)
    static func appendIntegers<Element, Pattern: FixedWidthInteger>(
        _ elements: [Element],
        elementType: PostgresType,
        to buffer: inout PostgresBuffer,
        pattern: (Element) throws -> Pattern
    ) rethrows {
        let width = MemoryLayout<Pattern>.size
        let stride = 4 + width
        let patterns = try elements.map(pattern)
        buffer.reserve(headerSize + elements.count * stride)
        appendHeader(count: elements.count, hasNull: false, elementType: elementType, to: &buffer)
        let prefix = Int32(width).bigEndian
        buffer.append(count: patterns.count * stride) { target in
            var offset = 0
            for pattern in patterns {
                target.storeBytes(of: prefix, toByteOffset: offset, as: Int32.self)
                target.storeBytes(of: pattern.bigEndian, toByteOffset: offset + 4, as: Pattern.self)
                offset += stride
            }
        }
    }

    /// The elements of a binary array, nil for NULL.
    static func elements(of cell: PostgresCell) throws -> [PostgresCell?] {
        try cell.requireBinary()
        return try cell.withBytes { bytes in
            var offset = 0
            func next() throws -> Int32 {
                guard offset + 4 <= bytes.count else { throw PostgresDecodingFailure.wrongLength }
                defer { offset += 4 }
                return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
            }
            let dimensions = try next()
            _ = try next()
            let type = PostgresType(rawValue: UInt32(bitPattern: try next()))
            if dimensions == 0 { return [] }
            guard dimensions == 1 else {
                throw PostgresDecodingFailure("the array has \(dimensions) dimensions")
            }
            let count = Int(try next())
            _ = try next()
            // Each element takes at least its length, so a wrong count cannot reserve more than arrived.
            guard count >= 0, count <= bytes.count / 4 else { throw PostgresDecodingFailure.wrongLength }
            var elements: [PostgresCell?] = []
            elements.reserveCapacity(count)
            for _ in 0..<count {
                let length = Int(try next())
                if length == -1 {
                    elements.append(nil)
                    continue
                }
                guard length >= 0, offset + length <= bytes.count else {
                    throw PostgresDecodingFailure.wrongLength
                }
                elements.append(cell.element(type: type, at: offset, count: length))
                offset += length
            }
            return elements
        }
    }
}
