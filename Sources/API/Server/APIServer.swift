public import Control
public import Fleet
internal import Foundation
internal import HTTPTypes
public import Hummingbird
internal import HummingbirdTLS
public import Logging
public import NIOSSL
public import Store

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

        public init(
            store: any Store, hub: FeedHub, sessions: AgentSessions, supervisor: CellSupervisor?,
            ids: any IDSource, time: Timekeeper, secret: @escaping @Sendable () -> String
        ) {
            self.store = store
            self.hub = hub
            self.sessions = sessions
            self.supervisor = supervisor
            self.ids = ids
            self.time = time
            self.secret = secret
        }
    }

    private let parts: Parts

    public init(_ parts: Parts) { self.parts = parts }

    /// The server as a service; it runs until its task is cancelled or shut down gracefully.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP; whether that is allowed is the caller's to decide.
    ///   - onRunning: called with the port once connections are accepted.
    public func application(
        address: String, port: Int, tls: TLSConfiguration?, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) throws -> some ApplicationProtocol {
        Application(
            router: router(), server: try tls.map { try .tls(.http1(), tlsConfiguration: $0) } ?? .http1(),
            configuration: .init(address: .hostname(address, port: port), serverName: nil, backlog: 1024),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.addMiddleware {
            ProblemMiddleware()
            AccessMiddleware(authenticator: Authenticator(store: parts.store))
        }
        let secrets = SecretSource(parts.secret)
        let watcher = Watcher(store: parts.store, hub: parts.hub)
        let explainer = PlacementExplainer(store: parts.store, supervisor: parts.supervisor)
        DocumentRoutes(
            store: parts.store, watcher: watcher, explainer: explainer, ids: parts.ids, time: parts.time
        ).add(to: router)
        HostVerbRoutes(store: parts.store, ids: parts.ids, time: parts.time).add(to: router)
        RecordRoutes(
            store: parts.store, hub: parts.hub, watcher: watcher, secrets: secrets, time: parts.time
        ).add(to: router)
        AgentRoutes(store: parts.store, sessions: parts.sessions, secrets: secrets, ids: parts.ids).add(
            to: router)
        LogRoutes(store: parts.store, reader: OutputReader(store: parts.store, ids: parts.ids))
            .add(to: router)
        ClusterRoutes(store: parts.store, time: parts.time).add(to: router)
        return router
    }
}
