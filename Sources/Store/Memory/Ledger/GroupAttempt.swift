import Fleet

/// One group of a plan on its way into the ledger: what it did so far, so that a refusal can take it back.
struct GroupAttempt {
    /// Rows as they were before the group.
    var hosts: [ID<Document>: HostRow] = [:]
    var usage: [String: QuotaUsage] = [:]
    /// Allocations that the group made, and what those it releases were before.
    var made: [Allocation] = []
    var before: [Allocation] = []
    /// Sources of migrations, as they are now.
    var departed: [Allocation] = []
    /// What the group did, in order, for the feed and the events.
    var effects: [Effect] = []

    struct Effect {
        var allocation: Allocation
        var change: FeedEntry.Change
        var reason: Reason
        var message: String
    }
}

/// What was done in a commit so far, over all groups.
struct CommitProgress {
    var effects: [GroupAttempt.Effect] = []
    var departed: [Allocation] = []
    var refusals: [GroupRefusal] = []
    /// Workloads of accepted and of refused groups.
    var accepted: Set<ID<Document>> = []
    var refused: Set<ID<Document>> = []
}
