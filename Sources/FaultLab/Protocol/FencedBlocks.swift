/// The texts between lines of three backticks. In time linear in the text.
enum FencedBlocks {
    /// Blocks without a language tag: three backticks, blanks and a line break, the text, a line break and
    /// three backticks. Without overlap, from the left.
    static func untagged(in text: String) -> [String] {
        blocks(in: Array(text.utf8)) { bytes, start in
            // Of the blanks after the fence the last line break opens the text, if the text can then end.
            var position = start
            var breaks: [Int] = []
            while position < bytes.count, isBlank(bytes[position]) {
                if bytes[position] == newline { breaks.append(position) }
                position += 1
            }
            return breaks.last.map { ($0 + 1, breaks[0] + 1) }
        }
    }

    /// Blocks with or without a tag on the line of the fence.
    static func any(in text: String) -> [String] {
        blocks(in: Array(text.utf8)) { bytes, start in
            guard let end = bytes[start...].firstIndex(of: newline) else { return nil }
            return (end + 1, end + 1)
        }
    }

    private static let newline = UInt8(ascii: "\n")
    private static let tick = UInt8(ascii: "`")

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// - Parameter opening: where the text starts for a fence that ends at a place: the preferred and the
    ///   earliest start; nil when the fence opens none.
    private static func blocks(
        in bytes: [UInt8], opening: ([UInt8], Int) -> (preferred: Int, earliest: Int)?
    ) -> [String] {
        var found: [String] = []
        var position = 0
        while let fence = fence(in: bytes, from: position) {
            position = fence + 1
            guard let start = opening(bytes, fence + 3) else { continue }
            // The line break that opens a text may not close it as well: it closes from the preferred start
            // on, or from the earliest when the blanks between the fences are all there is.
            let preferred = closing(in: bytes, from: start.preferred)
            let close = preferred ?? closing(in: bytes, from: start.earliest)
            // Without an end after this fence there is none after a later one.
            guard let close else { break }
            let from = preferred == nil ? start.earliest : start.preferred
            found.append(String(decoding: bytes[min(from, close)..<close], as: UTF8.self))
            position = close + 4
        }
        return found
    }

    private static func fence(in bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while position + 3 <= bytes.count {
            if bytes[position] == tick, bytes[position + 1] == tick, bytes[position + 2] == tick {
                return position
            }
            position += 1
        }
        return nil
    }

    /// Place of the line break before the next fence at the start of a line.
    private static func closing(in bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while position + 4 <= bytes.count {
            if bytes[position] == newline, bytes[position + 1] == tick, bytes[position + 2] == tick,
                bytes[position + 3] == tick
            {
                return position
            }
            position += 1
        }
        return nil
    }
}
