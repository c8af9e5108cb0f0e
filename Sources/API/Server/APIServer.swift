public import Control
public import Fleet
internal import Foundation
internal import HTTPTypes
public import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
public import Logging
internal import NIOCore
public import NIOSSL
public import Store
public import Telemetry

/// The REST server: routes over a store, with everything they need given.
public struct APIServer: Sendable {
    public struct Parts: Sendable {
        public var store: any Store
        public var hub: FeedHub
        public var sessions: AgentSessions
        /// Asked for explanations when the cell is planned in this process.
        public var supervisor: CellSupervisor?
        public var ids: any IDSource
        public var time: Timekeeper
        /// Makes bearer secrets; at least 128 random bits in printable ASCII.
        public var secret: @Sendable () -> String
        public var metrics: MetricRegistry<DaemonMetric>
        /// Brings metrics that are kept elsewhere up to date; runs before each scrape.
        public var gather: @Sendable () -> Void
        public var limits: TrafficLimits
        /// A monotonic clock.
        public var uptime: @Sendable () -> Duration
        /// What this program said and did of late.
        public var signals: SignalBuffer

        public init(
            store: any Store, hub: FeedHub, sessions: AgentSessions, supervisor: CellSupervisor?,
            ids: any IDSource, time: Timekeeper, secret: @escaping @Sendable () -> String,
            metrics: MetricRegistry<DaemonMetric> = MetricRegistry(),
            gather: @escaping @Sendable () -> Void = {},
            limits: TrafficLimits = TrafficLimits(),
            uptime: @escaping @Sendable () -> Duration = APIServer.uptime(),
            signals: SignalBuffer = SignalBuffer()
        ) {
            self.signals = signals
            self.store = store
            self.hub = hub
            self.sessions = sessions
            self.supervisor = supervisor
            self.ids = ids
            self.time = time
            self.secret = secret
            self.metrics = metrics
            self.gather = gather
            self.limits = limits
            self.uptime = uptime
        }
    }

    private let parts: Parts

    public init(_ parts: Parts) { self.parts = parts }

    /// How long a closing connection waits for its client's close: idle clients often never answer, and the
    /// library's 5 s would hold up every drain.
    private static let tlsShutdown = TimeAmount.milliseconds(500)

    /// The operating system's monotonic clock, counted from now.
    public static func uptime() -> @Sendable () -> Duration {
        let clock = ContinuousClock()
        let origin = clock.now
        return { origin.duration(to: clock.now) }
    }

    /// The server as a service; it runs until its task is cancelled or shut down gracefully.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP; whether that is allowed is the caller's to decide.
    ///   - onRunning: called with the port once connections are accepted.
    public func application(
        address: String, port: Int, tls: TLSConfiguration?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) throws -> some ApplicationProtocol {
        var tls = tls
        tls?.shutdownTimeout = Self.tlsShutdown
        return Application(
            router: router(), server: try tls.map { try .tls(.http1(), tlsConfiguration: $0) } ?? .http1(),
            configuration: .init(
                address: .hostname(address, port: port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(parts.limits.connections)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    package func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        let limiter = RateLimiter(parts.limits, uptime: parts.uptime)
        router.addMiddleware {
            RequestLogMiddleware(metrics: parts.metrics, signals: parts.signals, time: parts.time)
            ProblemMiddleware()
            TrafficMiddleware(limiter: limiter)
            AccessMiddleware(
                authenticator: Authenticator(store: parts.store, uptime: parts.uptime), limiter: limiter,
                store: parts.store)
            ShapeMiddleware()
            IdempotencyMiddleware(store: parts.store)
        }
        let secrets = SecretSource(parts.secret)
        let watcher = Watcher(store: parts.store, hub: parts.hub, metrics: parts.metrics)
        let explainer = PlacementExplainer(store: parts.store, supervisor: parts.supervisor)
        DocumentRoutes(
            store: parts.store, watcher: watcher, explainer: explainer,
            training: TrainingExplainer(store: parts.store, supervisor: parts.supervisor), ids: parts.ids,
            time: parts.time
        ).add(to: router)
        HostVerbRoutes(store: parts.store, explainer: explainer, ids: parts.ids, time: parts.time)
            .add(to: router)
        HistoryRoutes(store: parts.store).add(to: router)
        HealingRoutes(store: parts.store).add(to: router)
        FaultRoutes(store: parts.store).add(to: router)
        ImpactRoutes(store: parts.store).add(to: router)
        OversubscriptionRoutes(
            store: parts.store, explainer: RateExplainer(store: parts.store), ids: parts.ids, time: parts.time
        ).add(to: router)
        RecordRoutes(
            store: parts.store, hub: parts.hub, watcher: watcher, secrets: secrets, time: parts.time
        ).add(to: router)
        AgentRoutes(store: parts.store, sessions: parts.sessions, secrets: secrets, ids: parts.ids).add(
            to: router)
        MetricsRoute(metrics: parts.metrics, gather: parts.gather).add(to: router)
        TelemetryRoutes(store: parts.store, signals: parts.signals).add(to: router)
        AuditRoutes(store: parts.store).add(to: router)
        LogRoutes(store: parts.store, reader: OutputReader(store: parts.store, ids: parts.ids))
            .add(to: router)
        ClusterRoutes(store: parts.store, time: parts.time).add(to: router)
        router.get("/v1/openapi.yaml") { _, _ in Contract.response }
        return router
    }
}
