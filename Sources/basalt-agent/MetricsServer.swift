internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle
internal import Settings
internal import Telemetry

/// Serves `/metrics` of the agent, to this machine only.
struct MetricsServer: Service {
    let address: NetworkAddress
    let metrics: @Sendable () -> String
    let logger: Logger

    func run() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(MetricsHandler(metrics: metrics))
                }
            }
            .bind(host: address.host, port: address.port).get()
        logger.notice(
            "serving metrics",
            metadata: ["address": "\(address.host):\(channel.localAddress?.port ?? address.port)"])
        // The wait ends with the agent.
        do { try await gracefulShutdown() } catch is CancellationError {}
        try await channel.close()
    }
}

/// Answers each request by itself and closes the connection where the client asks for that.
private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let metrics: @Sendable () -> String
    private var head: HTTPRequestHead?

    init(metrics: @escaping @Sendable () -> String) { self.metrics = metrics }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            answer(head, context)
            self.head = nil
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isKnown = head.method == .GET && head.uri == "/metrics"
        let text = isKnown ? metrics() : "there is only GET /metrics\n"
        let body = ByteBuffer(string: text)
        let headers: HTTPHeaders = [
            "Content-Type": isKnown ? MetricRegistry<AgentMetric>.contentType : "text/plain",
            "Content-Length": "\(body.readableBytes)",
            "Connection": head.isKeepAlive ? "keep-alive" : "close",
        ]
        let answer = HTTPResponseHead(
            version: head.version, status: isKnown ? .ok : .notFound, headers: headers)
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !head.isKeepAlive {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
