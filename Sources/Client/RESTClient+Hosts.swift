public import APITypes
public import Fleet

/// Verbs that edit a host's spec.
public enum HostEdit: String, Sendable, Hashable {
    case cordon, uncordon, undrain, repair, repaired
}

extension RESTClient {
    /// Edits a host's spec by a verb.
    public func perform(_ edit: HostEdit, host: String, reason: String) async throws -> WireDocument {
        try await hostVerb(
            edit.rawValue, host: host, HostVerbRequest(reason: reason), as: WireDocument.self)
    }

    /// Takes no new placements; what runs goes on.
    public func cordon(host: String, reason: String) async throws -> WireDocument {
        try await perform(.cordon, host: host, reason: reason)
    }

    /// Takes the host out of service to be mended.
    public func repair(host: String, reason: String) async throws -> WireDocument {
        try await perform(.repair, host: host, reason: reason)
    }

    /// Says that the host was mended: it comes back into service once it shows so.
    public func repaired(host: String, reason: String) async throws -> WireDocument {
        try await perform(.repaired, host: host, reason: reason)
    }

    /// Whom the last incident of a host hit, or all since a time.
    public func impact(host: String, since: Timestamp? = nil) async throws -> ImpactReport {
        var call = Call.get(APIPath("hosts", host, "impact"))
        if let since { call.query = [("since", since.description)] }
        return try await send(call, as: ImpactReport.self)
    }

    /// Whom an injected fault hit.
    public func impact(fault: String) async throws -> ImpactReport {
        try await send(.get(APIPath("faults", fault, "impact")), as: ImpactReport.self)
    }

    /// Takes placements again.
    public func uncordon(host: String, reason: String) async throws -> WireDocument {
        try await perform(.uncordon, host: host, reason: reason)
    }

    /// - Returns: the operation, which goes on without the client.
    public func drain(host: String, reason: String) async throws -> OperationRecord {
        try await drain(host: host, HostVerbRequest(reason: reason))
    }

    /// A drain with a deadline, a bound or outside of maintenance windows.
    public func drain(host: String, _ request: HostVerbRequest) async throws -> OperationRecord {
        try await hostVerb("drain", host: host, request, as: OperationRecord.self)
    }

    /// What a drain would do now.
    public func dryRunDrain(host: String, _ request: HostVerbRequest) async throws -> DrainPreview {
        var call = try Call.post(APIPath("hosts", host, "drain"), body: request, key: newIdempotencyKey())
        call.query += [("dryRun", "true")]
        return try await send(call, as: DrainPreview.self)
    }

    /// Tells that the host will be taken away.
    ///
    /// - Returns: the operation that empties it, which goes on without the client.
    public func preempt(host: String, _ notice: PreemptionNotice) async throws -> OperationRecord {
        let path = APIPath("hosts", host, "preempt")
        return try await send(
            try .post(path, body: notice, key: newIdempotencyKey()), as: OperationRecord.self)
    }

    /// What would move where until then.
    public func dryRunPreempt(host: String, _ notice: PreemptionNotice) async throws -> DrainPreview {
        var call = try Call.post(APIPath("hosts", host, "preempt"), body: notice, key: newIdempotencyKey())
        call.query += [("dryRun", "true")]
        return try await send(call, as: DrainPreview.self)
    }

    /// What emptying hosts of a pool would do now.
    public func defragmentation(pool: String) async throws -> DefragmentationPreview {
        try await send(.get(APIPath("pools", pool, "defragmentation")), as: DefragmentationPreview.self)
    }

    /// Takes a drain back: what has not moved stays, and the host takes placements again unless it was
    /// cordoned.
    public func undrain(host: String, reason: String) async throws -> WireDocument {
        try await perform(.undrain, host: host, reason: reason)
    }

    /// Declares that nothing runs on the host. The caller vouches for it.
    public func fence(host: String, reason: String) async throws -> JSONValue {
        let request = HostVerbRequest(reason: reason, confirm: true)
        return try await hostVerb("fence", host: host, request, as: JSONValue.self)
    }

    /// What a fence would release; asks for nobody's word.
    public func dryRunFence(host: String, reason: String) async throws -> JSONValue {
        var call = try Call.post(
            APIPath("hosts", host, "fence"), body: HostVerbRequest(reason: reason), key: newIdempotencyKey())
        call.query = [("dryRun", "true")]
        return try await send(call, as: JSONValue.self)
    }

    /// What `cordon`, `uncordon` or `undrain` would make of the host.
    public func dryRun(_ verb: HostEdit, host: String, reason: String) async throws -> DryRun {
        let request = HostVerbRequest(reason: reason)
        var call = try Call.post(
            APIPath("hosts", host, verb.rawValue), body: request, key: newIdempotencyKey())
        call.query = [("dryRun", "true")]
        return try Self.dryRun(try await send(call))
    }

    private func hostVerb<Value: Decodable>(
        _ verb: String, host: String, _ request: HostVerbRequest, as type: Value.Type
    ) async throws -> Value {
        let path = APIPath("hosts", host, verb)
        return try await send(try .post(path, body: request, key: newIdempotencyKey()), as: type)
    }
}
