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
    /// When its query plans are to be made anew, and how long they were to live.
    var plans: (until: ContinuousClock.Instant, life: Duration)?
    /// Called once, when the connection breaks or is closed.
    var onClose: (@Sendable () -> Void)?

    /// Whether the plans have lived long enough; then, or at the first question, the next ones' life begins.
    mutating func plansEnd(_ now: ContinuousClock.Instant, life: ClosedRange<Duration>) -> Bool {
        guard let plans else {
            plans = (now + life.lowerBound, life.lowerBound)
            return false
        }
        guard plans.until <= now else { return false }
        let next = min(plans.life * 2, life.upperBound)
        self.plans = (now + next, next)
        return true
    }

    /// Ready for the next user.
    var isReusable: Bool { isOpen && transaction == .idle }
}
