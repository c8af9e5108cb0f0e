import Fleet

extension MemoryState {
    /// Oldest first: those after an id, or the newest ones.
    func events(_ query: EventQuery) -> [EventRecord] {
        let limit = max(0, query.limit)
        if let after = query.after {
            return Array(events.dropFirst(Int(max(0, after))).lazy.filter(query.matches).prefix(limit))
        }
        return events.reversed().lazy.filter(query.matches).prefix(limit).reversed()
    }

    /// - Throws: `watchExpired`.
    func followEvents(_ query: EventQuery, after cursor: FeedCursor) throws -> EventPage {
        guard cursor.epoch == cluster.epoch else { throw StoreError.watchExpired }
        let horizon = feed.horizon
        let following = zip(eventTransactions, events).filter { number, event in
            number < horizon && (number, event.id) > (cursor.transaction, cursor.sequence)
                && query.matches(event)
        }
        let page = following.sorted { ($0.0, $0.1.id) < ($1.0, $1.1.id) }.prefix(max(0, query.limit))
        let next = page.last.map {
            FeedCursor(epoch: cluster.epoch, transaction: $0.0, sequence: $0.1.id)
        }
        return EventPage(events: page.map(\.1), next: next ?? cursor)
    }

    /// Newest first.
    func audit(_ query: AuditQuery) -> [AuditRecord] {
        func matches(_ row: AuditRecord) -> Bool {
            (query.actor ?? row.actor) == row.actor && (query.verb ?? row.verb) == row.verb
                && (query.kind == nil || query.kind == row.kind)
                && (query.project == nil || query.project == row.project ?? "")
                && (query.name ?? row.name) == row.name && (query.refused ?? row.refused) == row.refused
                && row.id < query.before ?? .max
        }
        return Array(audit.reversed().lazy.filter(matches).prefix(max(0, query.limit)))
    }

    /// Only the first put and changes of state are audited; progress is not.
    mutating func putOperation(_ operation: OperationRecord, context: WriteContext) {
        let before = operations.updateValue(operation, forKey: operation.id)
        if before?.state != operation.state {
            writeAudit(context, kind: .operation, name: operation.id.description)
        }
    }

    /// Newest first, by creation and then id.
    func operations(limit: Int) -> [OperationRecord] {
        Array(
            operations.values.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(max(0, limit)))
    }

    mutating func createToken(_ token: AccessToken, context: WriteContext) throws {
        let isTaken = tokens.values.contains { $0.name == token.name } || tokens[token.secretHash] != nil
        guard !isTaken else { throw StoreError.alreadyExists(kind: .token, name: token.name) }
        tokens[token.secretHash] = token
        writeAudit(context, kind: .token, name: token.name)
    }

    func token(secretHash: String) -> AccessToken? {
        guard let token = tokens[secretHash] else { return nil }
        if let expiresAt = token.expiresAt, now >= expiresAt { return nil }
        return token
    }

    /// By name, which is compared by bytes.
    func tokens(after name: String?, limit: Int) -> [AccessToken] {
        let following = tokens.values.filter { token in name.map { token.name > $0 } ?? true }
        return Array(following.sorted { $0.name < $1.name }.prefix(max(0, limit)))
    }

    mutating func deleteToken(_ name: String, context: WriteContext) throws {
        guard let token = tokens.values.first(where: { $0.name == name }) else {
            throw StoreError.notFound(kind: .token, name: name)
        }
        tokens[token.secretHash] = nil
        writeAudit(context, kind: .token, name: name)
    }

    mutating func keepHouse() {
        let limit = now.advanced(by: .zero - RequestRow.retention)
        requests = requests.filter { $0.value.at >= limit }
        pruneHistory()
    }

    /// First steps of VMs, from the event log.
    func vmLives(since: Timestamp, limit: Int) -> [VMLife] {
        var lives: [ID<Document>: VMLife] = [:]
        for event in events where event.kind == .vm && event.at >= since {
            switch event.reason {
            case .created: lives[event.uid] = VMLife(createdAt: event.at, placedAt: nil, runningAt: nil)
            case .scheduled where lives[event.uid]?.placedAt == nil: lives[event.uid]?.placedAt = event.at
            case .running where lives[event.uid]?.runningAt == nil: lives[event.uid]?.runningAt = event.at
            default: break
            }
        }
        let newest = lives.sorted { ($0.value.createdAt, $0.key) > ($1.value.createdAt, $1.key) }
        return newest.prefix(limit).map(\.value)
    }

    /// Rows of the projects that have a document, by project and name of the resource.
    func quotas() -> [QuotaRecord] {
        limits.sorted { $0.key < $1.key }.flatMap { project, quota in
            let use = usage[project] ?? QuotaUsage()
            return [
                QuotaRecord(
                    project: project, resource: .devices, used: use.devices, limit: quota.devices),
                QuotaRecord(
                    project: project, resource: .memoryMiB, used: use.resources.memoryMiB,
                    limit: quota.memoryMiB),
                QuotaRecord(
                    project: project, resource: .milliCPU, used: use.resources.milliCPU,
                    limit: quota.milliCPU),
            ]
        }
    }
}

extension EventQuery {
    fileprivate func matches(_ event: EventRecord) -> Bool {
        (kind ?? event.kind) == event.kind && (name ?? event.name) == event.name
            && (project == nil || project == event.project) && (reason ?? event.reason) == event.reason
            && (projects.map { $0.contains(event.project ?? "") } ?? true)
    }
}
