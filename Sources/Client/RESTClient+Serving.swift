internal import APITypes
public import Fleet

extension RESTClient {
    /// Routes of a serving deployment: once they are others than those held, or after `wait`.
    ///
    /// - Parameter held: nil when none are.
    public func servingRoutes(
        of deployment: String, project: String, after held: ServingRoutes? = nil, wait: Duration = .zero
    ) async throws -> ServingRoutes {
        var query: [(name: String, value: String)] = []
        if let held { query += [("epoch", String(held.epoch)), ("version", String(held.version))] }
        if wait > .zero { query.append(("wait", String(wait.components.seconds))) }
        var call = Call.get(
            APIPath("projects", project, "servingdeployments", deployment, "routes"), query: query)
        call.extraWait = wait
        return try await send(call, as: ServingRoutes.self)
    }

    /// Tells what a router saw, in the place of what it told before.
    public func report(_ report: ServingReport, of deployment: String, project: String) async throws {
        let path = APIPath("projects", project, "servingdeployments", deployment, "reports")
        _ = try await send(try .post(path, body: report, key: newIdempotencyKey()))
    }
}
