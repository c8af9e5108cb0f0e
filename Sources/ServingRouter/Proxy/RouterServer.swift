public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import NIOSSL
public import ServiceLifecycle
public import Telemetry

/// The router as a service: an OpenAI-compatible HTTP reverse proxy.
///
/// Paths under `/v1/` go to the replicas of the board's routes; `/healthz`, `/readyz`, `/metrics` and
/// `/routes` are its own.
public struct RouterServer: Service {
    /// What a client that goes away without a word is waited for at the end of its connection.
    private static let tlsShutdown = TimeAmount.milliseconds(500)

    let core: RouterCore
    private let host: String
    private let port: Int
    private let tls: TLSConfiguration?
    private let onListening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - tls: of the connections of clients; nil serves plain HTTP.
    ///   - name: first part of the ids of requests that come without one.
    ///   - onListening: is given the port.
    public init(
        host: String, port: Int, tls: TLSConfiguration? = nil, board: RouteBoard,
        limits: RouterLimits = .init(), metrics: MetricRegistry<RouterMetric> = .init(),
        name: String = "router", logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        core = RouterCore(board: board, limits: limits, metrics: metrics, name: name, logger: logger)
        self.host = host
        self.port = port
        self.tls = tls
        self.onListening = onListening
    }

    /// Serves until it is told to stop; requests under way then get `limits.drain` to end.
    public func run() async throws {
        let core = core
        let tls = try self.tls.map { try Self.context($0) }
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        ClientHandler(core, core.pool(on: channel.eventLoop)))
                }
            }
            .bind(host: host, port: port).get()
        let port = listener.localAddress?.port ?? port
        core.logger.notice(
            "routing", metadata: ["address": "\(host):\(port)", "tls": "\(tls == nil ? "no" : "yes")"])
        onListening(port)
        do { try await gracefulShutdown() } catch is CancellationError {}
        try await stop(listener)
    }

    /// What a server shows its clients.
    ///
    /// - Parameters: PEM files: the certificate and those that vouch for it, and its key.
    public static func tls(certificateFile: String, keyFile: String) throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
        let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    }

    private static func context(_ configuration: TLSConfiguration) throws -> NIOSSLContext {
        var configuration = configuration
        configuration.shutdownTimeout = tlsShutdown
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private func stop(_ listener: any Channel) async throws {
        core.gate.stop()
        core.logger.notice("stopping", metadata: ["requests": "\(core.gate.requestsUnderWay)"])
        let end = NIODeadline.now() + core.limits.drain
        do {
            while core.gate.requestsUnderWay > 0, .now() < end {
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch is CancellationError {
            // No time is left.
        }
        try await listener.close()
        core.closeAll()
    }
}
