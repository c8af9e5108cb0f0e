/// The binary form of `numeric`: Int16 digit count, weight, sign, scale, then digits of base 10,000.
enum PostgresNumeric {
    /// The number as plain decimal digits, as the server would print it.
    static func text(of cell: PostgresCell) throws -> String {
        try cell.withBytes { bytes in
            guard bytes.count >= 8, bytes.count % 2 == 0 else { throw PostgresDecodingFailure.wrongLength }
            func word(_ index: Int) -> UInt16 {
                UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
            }
            let count = Int(word(0))
            let weight = Int(Int16(bitPattern: word(1)))
            let scale = Int(word(3))
            guard bytes.count == 8 + count * 2 else { throw PostgresDecodingFailure.wrongLength }
            switch word(2) {
            case 0xC000: return "NaN"
            case 0xD000: return "Infinity"
            case 0xF000: return "-Infinity"
            default: break
            }
            func group(_ position: Int) -> String {
                let index = weight - position
                guard index >= 0, index < count else { return "0000" }
                let digits = String(word(4 + index))
                return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
            var whole = ""
            if weight >= 0 {
                for position in stride(from: weight, through: 0, by: -1) { whole += group(position) }
            }
            whole = String(whole.drop { $0 == "0" })
            var text = (word(2) == 0x4000 ? "-" : "") + (whole.isEmpty ? "0" : whole)
            if scale > 0 {
                let groups = (scale + 3) / 4
                let fraction = (1...groups).map { group(-$0) }.joined()
                text += "." + fraction.prefix(scale)
            }
            return text
        }
    }
}
