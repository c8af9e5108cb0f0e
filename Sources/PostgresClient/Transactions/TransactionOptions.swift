/// How a transaction sees the others.
public struct TransactionOptions: Sendable, Hashable {
    public enum Isolation: String, Sendable, Hashable, CaseIterable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    public var isolation: Isolation
    public var isReadOnly: Bool
    /// With serializable and read only: waits for a snapshot that can never fail.
    public var isDeferrable: Bool

    public init(
        isolation: Isolation = .readCommitted, isReadOnly: Bool = false, isDeferrable: Bool = false
    ) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
    }

    var beginStatement: String {
        "BEGIN ISOLATION LEVEL \(isolation.rawValue)"
            + (isReadOnly ? " READ ONLY" : "") + (isDeferrable ? " DEFERRABLE" : "")
    }
}
