import Fleet

/// The lease of one cell. The row stays when the lease is given back, so that tokens never repeat.
struct LeaseRow {
    var token: Int
    var holder: String
    /// Nil once it was given back.
    var expiresAt: Timestamp?

    func isInForce(at now: Timestamp) -> Bool {
        guard let expiresAt else { return false }
        return now < expiresAt
    }
}

/// When controllers last showed that they can commit, and what that means for host leases.
struct ControllerPulse {
    var last: Timestamp
    /// Longest silence of all controllers that host leases are judged through, seconds.
    var gap = 10.0
    /// Signs of life within so many seconds of the last are the same one: it is a row that every controller
    /// writes.
    var resolution: Double { min(1, gap / 4) }
    /// Host leases count from here when their last renewal is older: agents could not renew during the gap
    /// that ended here.
    var leaseFloor: Timestamp?
}
