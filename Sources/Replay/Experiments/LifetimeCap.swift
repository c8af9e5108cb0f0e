/// The longest prediction as users type it.
public struct LifetimeCap: Sendable, Hashable {
    /// Nil for none.
    public var duration: Duration?

    /// Reads a whole number with the unit s, m, h or d, such as `7d`, or `none`.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public init(parsing text: String) throws(OptionError) {
        guard text != "none" else { return }
        guard let unit = text.last.flatMap({ Self.seconds[$0] }), let number = Int(text.dropLast()),
            (1...Self.secondLimit / unit).contains(number)
        else {
            throw OptionError(
                field: "cap", value: text,
                expected: "a whole number with the unit s, m, h or d up to ten years, or none",
                nearest: "7d")
        }
        duration = .seconds(number * unit)
    }

    private static let seconds: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    private static let secondLimit = 3650 * 86_400
}
