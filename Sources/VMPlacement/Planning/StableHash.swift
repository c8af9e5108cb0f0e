/// FNV-1a folded over 64-bit words: the same on every machine and in every process, unlike `Hasher`.
///
/// Constants: Fowler, Noll, Vo, draft-eastlake-fnv, 64 bit.
package struct StableHash {
    package init() {}

    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package mutating func combine(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01b3 }
    package mutating func combine(_ number: Int) { combine(UInt64(truncatingIfNeeded: number)) }

    /// Length first, so that neighbouring texts cannot trade bytes.
    package mutating func combine(_ text: String) {
        combine(text.utf8.count)
        for byte in text.utf8 { combine(UInt64(byte)) }
    }

    /// Sixteen hexadecimal digits.
    package var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
