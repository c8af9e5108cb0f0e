/// An option of an experiment that cannot be used.
public struct OptionError: Error, Sendable, Hashable {
    /// Name of the option, such as `hosts`.
    public var field: String
    /// As given.
    public var value: String
    /// What would do.
    public var expected: String
    /// The nearest value that would do.
    public var nearest: String

    public init(field: String, value: String, expected: String, nearest: String) {
        self.field = field
        self.value = value
        self.expected = expected
        self.nearest = nearest
    }
}

extension OptionError: CustomStringConvertible {
    /// Such as `hosts: "0" given, 1 to 100000 expected; the nearest is 1`.
    public var description: String {
        "\(field): \"\(value)\" given, \(expected) expected; the nearest is \(nearest)"
    }
}
