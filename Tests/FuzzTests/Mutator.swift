import APITypes

/// Damages texts and documents, repeatably for a seed.
struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    // MARK: Text

    private static let tokens = [
        "", "\0", "\u{FFFD}", "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", ":", ",", "null", "-0",
        "1e999",
        "9223372036854775808", "-9223372036854775809", "0.1", "NaN", "=", "==", ".", "/", "%00", "..", "\r\n",
        "\t",
        "&a", "*a", "<<", "- ", "---\n", "é", "e\u{301}", "🙂", "½", "١", "_", "+1", "0x10", "infinity", "TiB",
        "m",
    ]

    mutating func damaged(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...below(4) {
            let at = below(bytes.count + 1)
            switch below(6) {
            case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8(below(8))
            case 1 where at < bytes.count: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(8)))
            case 2: bytes.insert(UInt8(below(256)), at: at)
            case 3 where at < bytes.count:
                let piece = bytes[at..<min(bytes.count, at + 1 + below(32))]
                bytes.insert(contentsOf: piece, at: below(bytes.count + 1))
            case 4: bytes.removeLast(min(bytes.count, below(16)))
            default: bytes.insert(contentsOf: pick(Self.tokens).utf8, at: at)
            }
        }
        return bytes
    }

    // MARK: Documents

    private static let leaves: [JSONValue] = [
        .null, .bool(true), .integer(0), .integer(-1), .integer(.max), .integer(.min), .number(0.5),
        .number(1e300),
        .string(""), .string("\u{0}"), .string("../../etc"), .string("UPPER"), .string("*"),
        .string("agent-session"),
        .string(String(repeating: "x", count: 300)), .array([]), .object([:]), .array([.null]),
    ]

    /// One part of the tree is replaced, renamed, dropped or doubled.
    mutating func damaged(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(var members) where !members.isEmpty && below(4) > 0:
            let name = pick(members.keys.sorted())
            switch below(6) {
            case 0: members[name] = nil
            case 1: members[name + "x"] = members.removeValue(forKey: name)
            case 2: members[String(decoding: damaged(name), as: UTF8.self)] = members[name]
            default: members[name] = damaged(members[name] ?? .null)
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty && below(4) > 0:
            let at = below(elements.count)
            if below(3) == 0 { elements.append(elements[at]) } else { elements[at] = damaged(elements[at]) }
            return .array(elements)
        default: return below(12) == 0 ? .object(["spec": value]) : pick(Self.leaves)
        }
    }
}
