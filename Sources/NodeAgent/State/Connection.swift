import AgentProtocol

/// Where the session with the control plane stands: `greeting → connected → greeting …`, `→ ended`.
enum SessionPhase: Sendable {
    /// Hello is due, under way or to be tried again.
    case greeting(CallState)
    case connected(Connection)
    /// Superseded; nothing follows.
    case ended
}

/// What holds from one answered hello to the next.
struct Connection: Sendable {
    var incarnation: Int
    var epoch: Int
    var lease: LeaseTerms
    var limits: SessionLimits
    var cursor: String?
    var poll = CallState()
    var polledAt = MonotonicTime(microseconds: 0)
    var report = CallState()
    var outstanding: OutstandingReport?
    /// Sequence of the last report.
    var sequence = 0
    /// When the last report was first sent.
    var lastSentAt: MonotonicTime?
    /// Time in which the control plane certainly counted the hosts as held, without a gap.
    var heldSince: MonotonicTime
    var heldUntil: MonotonicTime

    /// - Parameter sentAt: when the hello was sent that is answered.
    init(_ response: HelloResponse, sentAt: MonotonicTime) {
        incarnation = response.incarnation
        epoch = response.epoch
        lease = response.lease
        limits = response.limits
        heldSince = sentAt
        heldUntil = sentAt.advanced(by: .seconds(response.lease.stopAfterSeconds))
    }

    /// Takes a renewal over.
    ///
    /// - Returns: whether the lease was out before it: the hosts may have been fenced meanwhile, and what they
    ///   were to run given to others.
    mutating func renew(sentAt: MonotonicTime, at now: MonotonicTime) -> Bool {
        let wasOut = heldUntil <= now
        if wasOut { heldSince = now }
        heldUntil = sentAt.advanced(by: .seconds(lease.stopAfterSeconds))
        return wasOut
    }
}

/// A report that is not acknowledged. It is repeated unchanged, so that its sequence means one content.
struct OutstandingReport: Sendable {
    var request: ReportRequest
    var firstSentAt: MonotonicTime
    /// What was reported: a part that changed since is not acknowledged by the answer.
    var revisions: [(key: PartKey, revision: Int)]
}
