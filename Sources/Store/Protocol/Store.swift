public import Fleet

/// Everything durable, in capabilities; two implementations have the same conflict, lease and feed semantics:
/// one on Postgres, one in memory.
///
/// Every call is one short transaction. Calls throw `StoreError`.
public protocol Store: DocumentStore, LedgerStore, FeedStore, LeaseStore, SessionStore, RecordStore,
    LogStore, HistoryStore, GroupStore, AnswerStore, ModelStore, VMHistoryStore, RateStore, UsageStore,
    RiskStore, ProgressStore, ServingStore, FaultStore
{}

/// Who writes, for the audit log.
public struct WriteContext: Sendable, Hashable {
    /// `user/NAME`, `agent/SESSION` or `controller/NAME`.
    public var actor: String
    public var requestID: String?
    /// Verb of the audit row, such as `create`, `drain`.
    public var verb: String

    public init(actor: String, requestID: String? = nil, verb: String) {
        self.actor = actor
        self.requestID = requestID
        self.verb = verb
    }
}

/// A new event; the store gives it id and time.
public struct EventDraft: Sendable, Hashable {
    public var kind: Kind
    public var project: String?
    public var name: String
    public var uid: ID<Document>
    public var reason: Reason
    public var message: String
    public var source: String

    public init(
        kind: Kind, project: String?, name: String, uid: ID<Document>, reason: Reason, message: String,
        source: String
    ) {
        self.kind = kind
        self.project = project
        self.name = name
        self.uid = uid
        self.reason = reason
        self.message = message
        self.source = source
    }
}
