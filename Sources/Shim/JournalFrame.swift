/// The unit of a journal: what one append wrote, whole or not at all.
///
/// On disk: `#<bytes> <crc32 in 8 hex digits>\n`, then the payload, which is JSON lines. So a journal can be
/// read with line tools, and a torn append cannot be taken for a shorter one.
package enum JournalFrame {
    /// Longest header: `#`, 19 digits, a space, 8 digits, a line feed.
    private static let headerLimit = 30

    package static func encode(_ payload: [UInt8]) -> [UInt8] {
        let digits = String(Checksum.crc32(payload), radix: 16)
        let padding = String(repeating: "0", count: 8 - digits.count)
        return Array("#\(payload.count) \(padding)\(digits)\n".utf8) + payload
    }

    /// The whole frames from the start of `bytes`.
    package struct Contents {
        package var payloads: [ArraySlice<UInt8>] = []
        /// Bytes of the whole frames; what follows is a torn append.
        package var validLength = 0
        /// A whole frame follows bytes that are none: more than the last append is damaged.
        package var isCorrupt = false
    }

    package static func decode(_ bytes: [UInt8]) -> Contents {
        var contents = Contents()
        while let frame = frame(in: bytes, at: contents.validLength) {
            contents.payloads.append(bytes[frame])
            contents.validLength = frame.upperBound
        }
        contents.isCorrupt = hasFrame(in: bytes, after: contents.validLength)
        return contents
    }

    /// The payload's range of the frame that begins at `start`; nil when no whole frame does.
    private static func frame(in bytes: [UInt8], at start: Int) -> Range<Int>? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "#") else { return nil }
        let window = bytes[start..<min(bytes.count, start + headerLimit)]
        guard let lineFeed = window.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let fields = String(decoding: bytes[(start + 1)..<lineFeed], as: UTF8.self).split(separator: " ")
        guard fields.count == 2, let length = Int(fields[0]), length >= 0, fields[1].count == 8,
            let checksum = UInt32(fields[1], radix: 16), length <= bytes.count - lineFeed - 1
        else { return nil }
        let payload = (lineFeed + 1)..<(lineFeed + 1 + length)
        return Checksum.crc32(bytes[payload]) == checksum ? payload : nil
    }

    private static func hasFrame(in bytes: [UInt8], after start: Int) -> Bool {
        var position = start + 1
        while position < bytes.count {
            // Payloads are lines, so a frame begins after a line feed.
            if bytes[position - 1] == UInt8(ascii: "\n"), frame(in: bytes, at: position) != nil {
                return true
            }
            position += 1
        }
        return false
    }
}
