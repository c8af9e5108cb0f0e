/// The fields of one line of comma-separated text, without a copy of their bytes.
///
/// A field may be quoted, and may then hold commas and doubled quotes; a line break ends the row even there.
struct CSVRow: ~Copyable {
    /// Where each field's content lies in the line; quotes and blanks around it left out.
    private(set) var fields: [Range<Int>] = []

    /// Splits a line that has no line break, keeping the storage of the row before.
    mutating func split(_ line: Span<UInt8>) {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        while true {
            let end = Self.end(of: start, in: line)
            fields.append(Self.content(start..<end, in: line))
            guard end < line.count else { return }
            start = end + 1
        }
    }

    /// The comma after the field that begins at `start`, or the end of the line.
    private static func end(of start: Int, in line: Span<UInt8>) -> Int {
        var index = start
        var isQuoted = false
        while index < line.count {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ","), !isQuoted {
                break
            }
            index += 1
        }
        return index
    }

    private static func content(_ range: Range<Int>, in line: Span<UInt8>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, isBlank(line[low]) { low += 1 }
        while high > low, isBlank(line[high - 1]) { high -= 1 }
        if high - low >= 2, line[low] == UInt8(ascii: "\""), line[high - 1] == UInt8(ascii: "\"") {
            return low + 1..<high - 1
        }
        return low..<high
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    /// The field as text, for names and errors; a doubled quote of a quoted field is one.
    func text(_ index: Int, of line: Span<UInt8>) -> String {
        let field = fields[index]
        let isQuoted = field.lowerBound > 0 && line[field.lowerBound - 1] == UInt8(ascii: "\"")
        var bytes: [UInt8] = []
        var position = field.lowerBound
        while position < field.upperBound {
            let byte = line[position]
            bytes.append(byte)
            let next = position + 1
            let isDoubled = isQuoted && byte == UInt8(ascii: "\"") && next < field.upperBound
            position = isDoubled && line[next] == byte ? next + 1 : next
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
