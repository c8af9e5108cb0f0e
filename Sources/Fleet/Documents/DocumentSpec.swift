/// The typed spec of a kind: what a user writes.
public protocol DocumentSpec: Codable, Sendable, Equatable {
    static var kind: Kind { get }

    /// Every defect of the values themselves; empty when the spec is acceptable on its own.
    func defects() -> [FieldDefect]
}

/// One thing wrong with one field.
public struct FieldDefect: Sendable, Hashable, Codable {
    /// Path from the document's root, such as `spec.resources.milliCPU`.
    public var field: String
    /// Closed code, such as `required`, `outOfRange`, `unknownField`, `notFound`.
    public var code: Code
    /// The value and the nearest valid choice, in words.
    public var message: String

    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        case required, invalid, outOfRange, unknownField, unknownValue, notFound, immutable, conflict
    }

    public init(field: String, code: Code, message: String) {
        self.field = field
        self.code = code
        self.message = message
    }
}
