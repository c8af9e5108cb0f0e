public import Fleet

/// Models of lifetimes: documents, each with a file that never changes.
public protocol ModelStore: Sendable {
    /// Creates a model with its file.
    ///
    /// - Parameters:
    ///   - file: JSON text, kept as it is.
    ///   - lease: of the controller that made it; nil for a user's.
    ///   - isTrial: finds out whether it could be made, and makes none.
    /// - Throws: what `create` throws, `leaseLost`.
    func createModel(
        _ draft: DocumentDraft, file: String, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Resource

    /// The file of a model; nil when there is no such model.
    func modelFile(_ uid: ID<Document>) async throws -> String?

    /// Writes the statuses of several models at once.
    ///
    /// - Parameter isTrial: finds out whether they could be written, and writes none.
    /// - Returns: false, and nothing is written, when one of the models is not at the version that is
    ///   expected of it, or another one is promoted.
    /// - Throws: `leaseLost`.
    func changeModels(_ change: ModelChange, lease: CellLease?, context: WriteContext, isTrial: Bool)
        async throws -> Bool
}

/// What becomes of models when one is promoted or taken back.
public struct ModelChange: Sendable, Hashable {
    /// `resourceVersion` of every model that is promoted and of every one that is written.
    public var expected: [ID<Document>: String]
    /// New statuses, JSON objects; those of `expected` only.
    public var statuses: [ID<Document>: String]
    public var events: [EventDraft]
    /// Name of the model that the audit row is about.
    public var subject: String

    public init(
        expected: [ID<Document>: String], statuses: [ID<Document>: String], events: [EventDraft],
        subject: String
    ) {
        self.expected = expected
        self.statuses = statuses
        self.events = events
        self.subject = subject
    }
}

/// VMs that had a host, those that run and those that ended.
public protocol VMHistoryStore: Sendable {
    func vmHistory(_ query: VMHistoryQuery) async throws -> [VMHistoryRecord]
}

/// Which VMs that have ended are read, and how many at most.
public struct VMHistoryQuery: Sendable, Hashable {
    /// Ids rise with the creation of VMs. A VM that ends between two pages keeps its place.
    public enum Order: Sendable, Hashable {
        /// Ascending ids above one, or all.
        case oldestFirst(after: ID<Document>?)
        /// Descending ids.
        case newestFirst
    }

    public var cell: String?
    public var pool: String?
    /// VMs that ended before this fleet time are left out.
    public var since: Timestamp?
    public var order: Order
    public var limit: Int

    public init(
        cell: String? = nil, pool: String? = nil, since: Timestamp? = nil,
        order: Order = .oldestFirst(after: nil), limit: Int = 1000
    ) {
        self.cell = cell
        self.pool = pool
        self.since = since
        self.order = order
        self.limit = limit
    }
}
