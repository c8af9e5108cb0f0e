/// A non-negative decimal number in the bytes of a field, in millionths.
enum DecimalField {
    static let one: Int64 = 1_000_000
    /// Digits before the point: 10¹² times a million stays inside 64 bits.
    private static let digitLimit = 12
    private static let fractionDigits = 6

    /// Reads `digits[.digits]`; digits past the sixth are rounded up, so that a request is never made
    /// smaller.
    ///
    /// - Returns: nil when the bytes are no such number or it is too large.
    @inline(__always)
    static func millionths(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var index = range.lowerBound
        var value: Int64 = 0
        var digits = 0
        while index < range.upperBound, let digit = digit(bytes[index]) {
            value = value * 10 + digit
            digits += 1
            index += 1
            if digits > digitLimit { return nil }
        }
        guard digits > 0 else { return nil }
        value *= one
        guard index < range.upperBound else { return value }
        guard bytes[index] == UInt8(ascii: ".") else { return nil }
        return fraction(bytes, index + 1..<range.upperBound).map { value + $0 }
    }

    private static func fraction(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var value: Int64 = 0
        var unit = one
        var isRest = false
        for index in range {
            guard let digit = digit(bytes[index]) else { return nil }
            if index - range.lowerBound < fractionDigits {
                unit /= 10
                value += digit * unit
            } else if digit > 0 {
                isRest = true
            }
        }
        return isRest ? value + 1 : value
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int64? {
        let digit = byte &- UInt8(ascii: "0")
        return digit < 10 ? Int64(digit) : nil
    }
}
