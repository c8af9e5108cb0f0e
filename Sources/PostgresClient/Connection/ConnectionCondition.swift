/// What others may know of a connection without waiting for its actor.
struct ConnectionCondition: Sendable {
    enum Transaction: Sendable, Hashable {
        case idle
        case active
        case failed
        /// A statement is running, or the session is broken.
        case unknown
    }

    var isOpen = false
    var transaction = Transaction.idle
    /// The SQLSTATE of the last error of the open transaction, whoever caught it.
    var lastSQLState: String?
    /// Called once, when the connection breaks or is closed.
    var onClose: (@Sendable () -> Void)?

    /// Ready for the next user.
    var isReusable: Bool { isOpen && transaction == .idle }
}
