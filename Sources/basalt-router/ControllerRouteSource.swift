internal import Client
internal import Fleet
internal import ServingRouter

/// Routes that the controllers tell, by long-poll.
struct ControllerRouteSource: RouteSource {
    /// As long as the API lets a question wait.
    private static let wait = Duration.seconds(30)

    let client: RESTClient
    let project: String
    let deployment: String

    func next(after held: ServingRoutes?) async throws -> ServingRoutes? {
        let found = try await client.servingRoutes(
            of: deployment, project: project, after: held, wait: held == nil ? .zero : Self.wait)
        return held.map(found.replaces) ?? true ? found : nil
    }

    func take(_ report: ServingReport) async throws {
        try await client.report(report, of: deployment, project: project)
    }
}
