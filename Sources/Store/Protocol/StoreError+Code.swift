extension StoreError {
    /// Stable name for logs, without what varies.
    public var code: String {
        switch self {
        case .notFound: "store.not_found"
        case .alreadyExists: "store.already_exists"
        case .preconditionFailed: "store.precondition_failed"
        case .beingDeleted: "store.being_deleted"
        case .inUse: "store.in_use"
        case .referenceMissing: "store.reference_missing"
        case .idempotencyKeyReused: "store.idempotency_key_reused"
        case .leaseLost: "store.lease_lost"
        case .planParentStale: "store.plan_parent_stale"
        case .planAlreadyApplied: "store.plan_already_applied"
        case .watchExpired: "store.watch_expired"
        case .sessionSuperseded: "store.session_superseded"
        case .unauthorized: "store.unauthorized"
        case .unavailable: "store.unavailable"
        case .outcomeUnknown: "store.outcome_unknown"
        case .corrupt: "store.corrupt"
        }
    }

    /// Whether a healthy control plane meets it now and then and goes on by itself: a database that restarts,
    /// a lease that another controller took.
    public var isExpected: Bool {
        switch self {
        case .leaseLost, .planParentStale, .planAlreadyApplied, .watchExpired, .sessionSuperseded,
            .unavailable, .outcomeUnknown:
            true
        case .notFound, .alreadyExists, .preconditionFailed, .beingDeleted, .inUse, .referenceMissing,
            .idempotencyKeyReused, .unauthorized, .corrupt:
            false
        }
    }
}
