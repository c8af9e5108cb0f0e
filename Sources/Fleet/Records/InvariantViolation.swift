/// One broken invariant.
public struct InvariantViolation: Sendable, Hashable, Codable {
    /// Number of the invariant, 1 to 9.
    public var invariant: Int
    public var subject: String
    public var message: String

    public init(invariant: Int, subject: String, message: String) {
        self.invariant = invariant
        self.subject = subject
        self.message = message
    }
}
