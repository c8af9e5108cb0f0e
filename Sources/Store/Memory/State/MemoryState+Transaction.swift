import Fleet

extension MemoryState {
    /// Begins a call; `held` carries on a transaction that was opened before.
    mutating func begin(at now: Timestamp, held: UInt64? = nil) {
        transaction = MemoryTransaction(now: now, number: held)
    }

    /// Number of the transaction under way.
    mutating func transactionNumber() -> UInt64 {
        if let number = transaction.number { return number }
        let number = feed.takeNumber()
        transaction.number = number
        return number
    }

    /// Appends a change of a document and moves its version to it; a deleted one goes along as its last
    /// version.
    mutating func record(_ change: FeedEntry.Change, of resource: inout Resource) throws {
        let cursor = cursor(for: resource.metadata.uid)
        resource.metadata.resourceVersion = cursor.text
        append(
            FeedEntry(
                cursor: cursor, change: change, kind: resource.kind, uid: resource.metadata.uid,
                project: resource.metadata.project, name: resource.metadata.name,
                cell: try cell(of: resource),
                final: change == .deleted ? resource : nil))
    }

    /// Appends a change of an allocation.
    mutating func record(_ change: FeedEntry.Change, of allocation: Allocation) {
        let uid = ID<Document>(allocation.id.uuid)
        append(
            FeedEntry(
                cursor: cursor(for: uid), change: change, kind: .allocation, uid: uid,
                project: allocation.workload.project, name: allocation.workload.name, cell: allocation.cell,
                host: allocation.host))
    }

    /// Appends a change of a host's ledger row; the version of its document stays.
    mutating func recordLedger(of host: HostRecord) {
        append(
            FeedEntry(
                cursor: cursor(for: host.id), change: .updated, kind: .host, uid: host.id, project: nil,
                name: host.name, cell: host.cell))
    }

    func cell(of resource: Resource) throws -> String? {
        try readings.reading(of: resource).cell
    }

    /// Cursor of the document's entry in this transaction; a new one when it has none yet.
    private mutating func cursor(for uid: ID<Document>) -> FeedCursor {
        if let cursor = transaction.entries[uid] { return cursor }
        let number = transactionNumber()
        return FeedCursor(epoch: cluster.epoch, transaction: number, sequence: feed.takeSequence())
    }

    /// A second change of one document in one transaction keeps the first one's entry, unless it is gone now.
    private mutating func append(_ entry: FeedEntry) {
        if transaction.entries.updateValue(entry.cursor, forKey: entry.uid) == nil {
            feed.insert(entry, at: now)
        } else if entry.change == .deleted {
            feed.replace(entry)
        }
    }

    mutating func append(_ draft: EventDraft) {
        eventTransactions.append(transactionNumber())
        events.append(
            EventRecord(
                id: Int64(events.count + 1), at: now, kind: draft.kind, project: draft.project,
                name: draft.name, uid: draft.uid, reason: draft.reason, message: draft.message,
                source: draft.source))
    }

    mutating func writeAudit(
        _ context: WriteContext, kind: Kind?, project: String? = nil, name: String, refused: Bool = false
    ) {
        audit.append(
            AuditRecord(
                id: Int64(audit.count + 1), at: now, actor: context.actor, requestID: context.requestID,
                verb: context.verb, kind: kind, project: project, name: name, refused: refused))
        if let kind, kind.keepsHistory, !refused {
            noteVersion(of: DocumentName(kind, project: project, name), context)
        }
    }
}
