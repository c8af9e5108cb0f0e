public import Fleet

extension MemoryStore {
    public func appendEvents(_ events: [EventDraft]) async throws {
        write { state in for event in events { state.append(event) } }
    }

    public func events(_ query: EventQuery) async throws -> [EventRecord] { read { $0.events(query) } }

    public func followEvents(_ query: EventQuery, after cursor: FeedCursor) async throws -> EventPage {
        try read { try $0.followEvents(query, after: cursor) }
    }

    public func putOperation(_ operation: OperationRecord, context: WriteContext) async throws {
        write { $0.putOperation(operation, context: context) }
    }

    public func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord? {
        read { $0.operations[id] }
    }

    public func operations(limit: Int) async throws -> [OperationRecord] {
        read { $0.operations(limit: limit) }
    }

    public func createToken(_ token: AccessToken, context: WriteContext, isTrial: Bool) async throws {
        try write(isTrial: isTrial) { try $0.createToken(token, context: context) }
    }

    public func token(secretHash: String) async throws -> AccessToken? {
        read { $0.token(secretHash: secretHash) }
    }

    public func tokens(after name: String?, limit: Int) async throws -> [AccessToken] {
        read { $0.tokens(after: name, limit: limit) }
    }

    public func deleteToken(_ name: String, context: WriteContext) async throws {
        try write { try $0.deleteToken(name, context: context) }
    }

    public func audit(_ query: AuditQuery) async throws -> [AuditRecord] { read { $0.audit(query) } }

    public func recordRefusal(of name: String, project: String?, context: WriteContext) async throws {
        write { $0.writeAudit(context, kind: nil, project: project, name: name, refused: true) }
    }

    public func vmLives(since: Timestamp, limit: Int) async throws -> [VMLife] {
        read { $0.vmLives(since: since, limit: limit) }
    }

    public func keepHouse() async throws { write { $0.keepHouse() } }

    public func quotas() async throws -> [QuotaRecord] { read { $0.quotas() } }
}
