/// One header block of a tar archive: ustar, with the names that pax and GNU tar put before it.
struct TarHeader {
    enum Kind: Equatable {
        case file, directory, symbolicLink, hardLink
        /// Its content is about the next header.
        case longName, longLink, extended
        /// About all that follow; nothing in it matters here.
        case globalExtended
        case other(UInt8)
    }

    static let blockSize = 512

    var name: String
    var linkName: String
    var mode: UInt32
    var size: Int
    var kind: Kind

    /// Nil when the block is none.
    init?(_ block: ArraySlice<UInt8>) {
        let bytes = Array(block)
        guard bytes.count == Self.blockSize, let size = Self.number(bytes[124..<136]),
            let mode = Self.number(bytes[100..<108]), let checksum = Self.number(bytes[148..<156]),
            checksum == Self.checksum(bytes), size >= 0
        else { return nil }
        let prefix = bytes[257..<262].elementsEqual("ustar".utf8) ? Self.text(bytes[345..<500]) : ""
        // GNU keeps times in place of the prefix.
        let isPOSIX = bytes[262] == 0
        let short = Self.text(bytes[0..<100])
        name = isPOSIX && !prefix.isEmpty ? "\(prefix)/\(short)" : short
        linkName = Self.text(bytes[157..<257])
        self.mode = UInt32(truncatingIfNeeded: mode)
        self.size = size
        kind =
            switch bytes[156] {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case UInt8(ascii: "1"): .hardLink
            case UInt8(ascii: "2"): .symbolicLink
            case UInt8(ascii: "5"): .directory
            case UInt8(ascii: "L"): .longName
            case UInt8(ascii: "K"): .longLink
            case UInt8(ascii: "x"): .extended
            case UInt8(ascii: "g"): .globalExtended
            case let type: .other(type)
            }
        if kind == .file, name.hasSuffix("/") { kind = .directory }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or GNU's base 256.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        if let first = bytes.first, first == 0x80 {
            return bytes.dropFirst().reduce(0) { value, byte -> Int? in
                guard let value, value < 1 << 48 else { return nil }
                return value << 8 | Int(byte)
            }
        }
        let digits = String(decoding: bytes, as: UTF8.self).filter { $0 != " " && $0 != "\0" }
        return digits.isEmpty ? 0 : Int(digits, radix: 8)
    }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        bytes.enumerated().reduce(0) { sum, entry in
            sum + ((148..<156).contains(entry.offset) ? 32 : Int(entry.element))
        }
    }
}
