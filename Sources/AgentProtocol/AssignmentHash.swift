internal import Crypto
internal import Foundation

extension HostAssignment {
    /// SHA-256 over the parts as JSON with sorted keys, lower-case hex. Both sides compute it with this
    /// function, so it needs to be canonical, not standard.
    public static func hash(of parts: [PartDirective]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return SHA256.hash(data: try encoder.encode(parts)).hexadecimal
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits per byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
