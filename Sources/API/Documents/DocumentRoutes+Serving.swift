internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// What routers and people ask about a serving deployment beside its document.
extension DocumentRoutes {
    func addServing(to router: some RouterMethods<APIContext>) {
        router.get("/v1/projects/:project/servingdeployments/:name/routes") { request, context in
            try await self.routes(request, context)
        }
        router.post("/v1/projects/:project/servingdeployments/:name/reports") { request, context in
            try await self.takeReport(request, context)
        }
        router.get("/v1/projects/:project/servingdeployments/:name/why") { request, context in
            try await self.whyServing(request, context)
        }
    }

    /// The routes in force; with `wait` only once they are others than those of `epoch` and `version`, or
    /// when the time is over.
    private func routes(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = request.uri.queryParameters
        let held = (
            epoch: try Self.count(query["epoch"], "epoch"),
            version: try Self.count(query["version"], "version")
        )
        let seconds = min(try query["wait"].map(ListParameters.seconds) ?? 0, RequestLimit.waitSeconds)
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        while true {
            // Before the document is read, so that no change falls between the two.
            let position = try await store.feedPosition()
            let routes = try Self.servingRoutes(try await existing(.servingDeployment, context))
            let left = clock.now.duration(to: deadline)
            if (routes.epoch, routes.version) != held || left <= .zero {
                return try JSONAnswer.response(routes)
            }
            try await watcher.waitForChange(after: position, timeout: left)
        }
    }

    /// What a router saw. A newer router may tell more than is known here.
    private func takeReport(_ request: Request, _ context: APIContext) async throws -> Response {
        let report: ServingReport = try await RequestReader.readTolerantly(request)
        let causes = report.defects()
        guard causes.isEmpty else {
            throw Problem(.invalid, detail: "the report is not valid", causes: causes)
        }
        let resource = try await existing(.servingDeployment, context)
        try await store.takeServing(report, of: resource.metadata.uid)
        return Response(status: .noContent)
    }

    private static func servingRoutes(_ resource: Resource) throws -> ServingRoutes {
        let decoder = JSONDecoder()
        let status = try resource.servingStatus
        if let routes = status?.routes { return routes }
        let spec = try decoder.decode(ServingDeploymentSpec.self, from: Data(resource.spec.utf8))
        // Of a version before the first.
        return ServingRoutes(epoch: 0, version: 0, model: spec.model, replicas: [], pairs: [])
    }

    /// What the plan predicts beside what routers see; nil where none reports.
    private static func seen(_ status: ServingDeploymentStatus?) -> String? {
        guard let plan = status?.plan, let seen = status?.observed else { return nil }
        let inTime = seen.inTimePerMille.map { ", \($0) per mille of the first bytes in time" } ?? ""
        return "predicted \(Int(plan.attainment * 1000)) per mille in time; "
            + "seen \(seen.demand.words)\(inTime), by \(seen.routers) routers, which follow version \(seen.version) at least"
    }

    private static func count(_ text: Substring?, _ name: String) throws -> Int {
        guard let text else { return 0 }
        guard let number = Int(text), number >= 0 else {
            throw Problem(
                .malformedRequest, detail: "\(name) is \"\(text.prefix(80))\"; it must be a number from 0 on")
        }
        return number
    }

    private func whyServing(_ request: Request, _ context: APIContext) async throws -> Response {
        let resource = try await existing(.servingDeployment, context)
        let status = try resource.servingStatus
        let aspect: Condition.Aspect = status?.plan == nil ? .scheduled : .running
        let decisive = status?.conditions.first { $0.type == aspect }
        return try JSONAnswer.response(
            WhyResponse(
                kind: .servingDeployment, project: resource.metadata.project, name: resource.metadata.name,
                state: status?.state ?? .pending, reason: decisive?.reason ?? .waitingForPlacement,
                message: [decisive?.message ?? "no controller has looked at it yet", Self.seen(status)]
                    .compactMap(\.self).joined(separator: "; "), queuePosition: nil,
                explanation: nil))
    }
}

extension Resource {
    /// Nil before a controller has looked at it.
    fileprivate var servingStatus: ServingDeploymentStatus? {
        get throws {
            status == "{}"
                ? nil : try JSONDecoder().decode(ServingDeploymentStatus.self, from: Data(status.utf8))
        }
    }
}
