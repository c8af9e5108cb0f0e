public import APITypes

extension RESTClient {
    /// What the controller that answers said and did of late.
    ///
    /// - Parameters:
    ///   - signal: `logs`, `metrics`, `traces` or `events`.
    ///   - query: as the contract has it, such as `component` and `since`.
    public func telemetry(_ signal: String, _ query: [(String, String)]) async throws -> JSONValue {
        var call = Call.get(APIPath("telemetry", signal))
        call.query = query
        return try await send(call, as: JSONValue.self)
    }
}
