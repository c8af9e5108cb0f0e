internal import Control
internal import Fleet
internal import Hummingbird
internal import Logging
internal import Telemetry

/// Counts each request and writes one line for it, whatever came of it. The outermost middleware.
struct RequestLogMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let metrics: MetricRegistry<DaemonMetric>
    let signals: SignalBuffer
    let time: Timekeeper

    /// Probes, scrapes and renewals come every few seconds from everywhere and say nothing while they
    /// succeed.
    private static let quiet: Set = [
        "/healthz", "/readyz", "/metrics", "/v1/agent/poll", "/v1/agent/report",
        "/v1/agent/usage",
    ]
    /// Stands for paths that are none of ours: a label of them would be the caller's to choose.
    private static let noRoute = "none"
    private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let began = time.now()
        metrics.add(.httpInFlight)
        defer { metrics.add(.httpInFlight, by: -1) }
        let response = try await next(request, context)
        let took = ContinuousClock.now - start
        let route = context.endpointPath.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? Self.noRoute
        let status = response.status.code
        let method = request.method.rawValue
        metrics.add(.httpRequests, [Self.methods.contains(method) ? method : "other", route, "\(status)"])
        metrics.observe(.httpSeconds, [route], took.inSeconds)
        if !Self.quiet.contains(route) || status >= 400 {
            signals.add(
                SignalBuffer.Span(
                    at: began, component: "api", name: "\(method) \(route)",
                    milliseconds: Self.milliseconds(took), error: status >= 500 ? "status \(status)" : nil,
                    trace: context.requestID))
        }
        let level: Logger.Level = Self.quiet.contains(route) && status < 400 ? .debug : .info
        var metadata: Logger.Metadata = [
            "method": "\(method)", "route": "\(route)", "status": "\(status)",
            "durationMs": "\(Self.milliseconds(took))", "actor": "\(context.account.actor ?? "none")",
        ]
        if let operation = context.account.operation { metadata["operation"] = "\(operation)" }
        context.logger.log(level: level, "request", metadata: metadata)
        return response
    }

    /// With microseconds.
    private static func milliseconds(_ time: Duration) -> Double {
        (time.inSeconds * 1_000_000).rounded() / 1000
    }
}
