public import Fleet

/// Why the store refused or failed, in a closed vocabulary.
public enum StoreError: Error, Sendable, Hashable {
    case notFound(kind: Kind, name: String)
    case alreadyExists(kind: Kind, name: String)
    /// The entity tag in force is carried along.
    case preconditionFailed(current: String)
    case beingDeleted(kind: Kind, name: String)
    /// Something still refers to the document.
    case inUse(kind: Kind, name: String, by: String)
    /// A name that the document refers to does not exist.
    case referenceMissing(field: String, kind: Kind, name: String)
    case idempotencyKeyReused(String)
    /// The cell lease was taken over or ran out; nothing was written.
    case leaseLost(cell: String)
    /// Another plan of the engine was committed on the same parent.
    case planParentStale(current: ID<Plan>?)
    case planAlreadyApplied(ID<Plan>)
    /// The cursor is older than what is retained, or of another epoch.
    case watchExpired
    case sessionSuperseded(current: Int)
    case unauthorized(String)
    /// The database cannot be reached or is overloaded; nothing is known to have been written.
    case unavailable(String)
    /// The connection broke at COMMIT: the write happened or did not.
    case outcomeUnknown(String)
    /// A state that must not exist; nothing was written.
    case corrupt(String)
}
