public import APITypes
public import Fleet

extension RESTClient {
    /// Takes no new placements; what runs goes on.
    public func cordon(host: String, reason: String) async throws -> WireDocument {
        try await hostVerb("cordon", host: host, HostVerbRequest(reason: reason), as: WireDocument.self)
    }

    public func uncordon(host: String, reason: String) async throws -> WireDocument {
        try await hostVerb("uncordon", host: host, HostVerbRequest(reason: reason), as: WireDocument.self)
    }

    /// - Returns: the operation, which goes on without the client.
    public func drain(host: String, reason: String) async throws -> OperationRecord {
        try await hostVerb("drain", host: host, HostVerbRequest(reason: reason), as: OperationRecord.self)
    }

    /// Declares that nothing runs on the host. The caller vouches for it.
    public func fence(host: String, reason: String) async throws -> JSONValue {
        let request = HostVerbRequest(reason: reason, confirm: true)
        return try await hostVerb("fence", host: host, request, as: JSONValue.self)
    }

    private func hostVerb<Value: Decodable>(
        _ verb: String, host: String, _ request: HostVerbRequest, as type: Value.Type
    ) async throws -> Value {
        let path = APIPath("hosts", host, verb)
        return try await send(try .post(path, body: request, key: newIdempotencyKey()), as: type)
    }
}
