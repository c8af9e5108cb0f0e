public import APITypes
public import Fleet

extension RESTClient {
    /// Rows of the ledger; fields `host`, `workload`, `state`.
    public func allocations(_ options: ListOptions = .init()) async throws -> Listing<Allocation> {
        try await everyPage(of: APIPath("allocations"), options)
    }

    /// One page of the event log, newest last; fields `kind`, `name`, `project`, `reason`.
    public func events(_ options: ListOptions = .init()) async throws -> WireList<EventRecord> {
        try await send(.get(APIPath("events"), query: options.query), as: WireList<EventRecord>.self)
    }

    /// Waits for events after `version`; an empty page when none came within `wait`.
    public func events(
        after version: String, wait: Duration, _ options: ListOptions = .init()
    ) async throws -> WireList<EventRecord> {
        var call = Call.get(APIPath("events"), query: options.query)
        call.query += [("wait", String(wait.components.seconds)), ("since", version)]
        call.extraWait = wait
        return try await send(call, as: WireList<EventRecord>.self)
    }

    /// Slow verbs, those under way and those that ended.
    public func operations(_ options: ListOptions = .init()) async throws -> Listing<OperationRecord> {
        try await everyPage(of: APIPath("operations"), options)
    }

    /// One slow verb.
    public func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord {
        try await send(.get(APIPath("operations", id.description)), as: OperationRecord.self)
    }

    /// Asks a slow verb to stop where it is; gives it as it is then.
    public func cancelOperation(
        _ id: ID<OperationRecord>, dryRun: Bool = false
    ) async throws -> OperationRecord {
        let path = APIPath("operations", id.description, "cancel")
        return try await send(
            try .post(path, body: JSONValue.object([:]), key: newIdempotencyKey(), dryRun: dryRun),
            as: OperationRecord.self)
    }

    /// One plan with its report.
    public func plan(_ id: ID<Plan>) async throws -> Plan {
        try await send(.get(APIPath("plans", id.description)), as: Plan.self)
    }
}
