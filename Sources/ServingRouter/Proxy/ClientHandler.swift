internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Telemetry

/// The router's end of a client's connection: takes one request after another, bounded in size and time, and
/// answers it or hands it to an exchange. Belongs to one event loop.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between requests.
        case idle
        case receiving(HTTPRequestHead, ByteBuffer)
        case exchanging(Exchange)
        /// The last answer was given; what still comes is not looked at.
        case ended
    }

    private let core: RouterCore
    private let pool: UpstreamPool
    private var state = State.idle
    private var context: ChannelHandlerContext?
    /// Whether there is room for its requests.
    private var isAdmitted = false
    /// Until when the next request or the rest of it must have come; nil while an answer is awaited.
    private var deadline: NIODeadline?
    private var timer: Scheduled<Void>?
    /// Of the request at hand.
    private(set) var version = HTTPVersion.http1_1
    private(set) var keepsAlive = true

    init(_ core: RouterCore, _ pool: UpstreamPool) {
        self.core = core
        self.pool = pool
    }

    // MARK: The connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isAdmitted = core.gate.connected()
        core.opened(context.channel)
        deadline = .now() + core.limits.idle
        wake(at: .now() + core.limits.receive)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        core.gate.disconnected()
        core.closed(context.channel)
        timer?.cancel()
        timer = nil
        if case .exchanging(let exchange) = state { exchange.clientIsGone() }
        state = .ended
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .exchanging(let exchange) = state { exchange.clientIsGone() }
        state = .ended
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .exchanging(let exchange) = state {
            exchange.clientIsWritable(context.channel.isWritable)
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// One timer per connection, that looks how far the deadline has moved.
    private func wake(at moment: NIODeadline) {
        timer = pool.eventLoop.assumeIsolated().scheduleTask(deadline: moment) { [self] in
            let now = NIODeadline.now()
            guard let deadline, deadline <= now else { return wake(at: now + core.limits.receive) }
            if case .receiving = state { return refuse(.tooSlow) }
            context?.close(promise: nil)
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle): receive(head)
        case (.body(let bytes), .receiving(let head, var body)):
            guard body.readableBytes + bytes.readableBytes <= core.limits.bodyBytes else {
                return refuse(.bodyTooLarge(limit: core.limits.bodyBytes))
            }
            // Given away first, so that the bytes are appended in place.
            state = .ended
            body.writeImmutableBuffer(bytes)
            state = .receiving(head, body)
        case (.end, .receiving(let head, let body)): handle(head, body)
        default: break
        }
    }

    private func receive(_ head: HTTPRequestHead) {
        version = head.version
        keepsAlive = head.isKeepAlive && !core.gate.isStopping
        deadline = .now() + core.limits.receive
        state = .receiving(head, ByteBuffer())
        guard isAdmitted else { return refuse(.tooManyConnections) }
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard announced <= core.limits.bodyBytes else {
            return refuse(.bodyTooLarge(limit: core.limits.bodyBytes))
        }
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            let goOn = HTTPResponseHead(version: head.version, status: .continue)
            context?.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
        }
    }

    private func handle(_ head: HTTPRequestHead, _ body: ByteBuffer) {
        deadline = nil
        let path = head.uri.prefix { $0 != "?" }
        switch path {
        case "/healthz": return tell("ok\n", "text/plain")
        case "/readyz":
            let isReady = core.board.isReady && !core.gate.isStopping
            return tell(
                isReady ? "ok\n" : "no routes\n", "text/plain", isReady ? .ok : .serviceUnavailable)
        case "/metrics": return tell(core.exposition, MetricRegistry<RouterMetric>.contentType)
        case "/routes": return tell(core.status, "application/json")
        default: break
        }
        guard path.hasPrefix("/v1/"), !path.contains("..") else { return refuse(.badPath) }
        guard head.method == .GET || head.method == .POST else { return refuse(.badMethod) }
        guard !core.gate.isStopping else { return refuse(.stopping) }
        guard core.gate.enter() else { return refuse(.routerBusy) }
        let exchange = Exchange(core, pool, client: self, head: head, body: body)
        state = .exchanging(exchange)
        exchange.begin()
    }

    // MARK: Answers

    /// From the exchange: nothing more comes of it but the last words.
    func exchangeEnded() {
        if case .exchanging = state { state = .idle }
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func begin(_ head: HTTPResponseHead) { context?.write(wrapOutboundOut(.head(head)), promise: nil) }

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
    }

    func flush() { context?.flush() }

    func end() {
        state = keepsAlive ? .idle : .ended
        deadline = .now() + core.limits.idle
        guard let context else { return }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !keepsAlive { Self.close(context.channel, after: written) }
    }

    /// Ends the connection in the middle of an answer, without its proper end.
    func cut() {
        state = .ended
        guard let context else { return }
        // What was written goes out before.
        Self.close(
            context.channel, after: context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer())))))
    }

    private static func close(_ channel: any Channel, after written: EventLoopFuture<Void>) {
        written.whenComplete { _ in channel.close(promise: nil) }
    }

    func refuse(_ error: RouterError) {
        core.metrics.add(.refused, [error.code])
        if error.endsConnection { keepsAlive = false }
        var more = HTTPHeaders()
        if let seconds = error.retryAfter { more.add(name: "retry-after", value: String(seconds)) }
        if error == .badMethod { more.add(name: "allow", value: "GET, POST") }
        tell(error.body, "application/json", error.status, more)
    }

    private func tell(
        _ text: String, _ type: String, _ status: HTTPResponseStatus = .ok, _ more: HTTPHeaders = [:]
    ) {
        let body = ByteBuffer(string: text)
        var headers = more
        headers.add(name: "content-type", value: type)
        headers.add(name: "content-length", value: String(body.readableBytes))
        headers.add(name: "connection", value: keepsAlive ? "keep-alive" : "close")
        begin(HTTPResponseHead(version: version, status: status, headers: headers))
        write(body)
        end()
    }
}
