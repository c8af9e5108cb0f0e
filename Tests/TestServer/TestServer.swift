internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A request as it arrived.
public struct TestRequest: Sendable {
    public var method: String
    /// Without the query.
    public var path: String
    public var query: [String: String]
    /// Names in lower case.
    public var headers: [String: String]
    public var body: [UInt8]
}

/// What the server does with a request.
public enum TestReaction: Sendable {
    case answer(status: Int, headers: [String: String] = [:], body: [UInt8])
    /// Closes the connection without a word.
    case drop
    /// Sends the head and then what the stream is given.
    case stream(TestStream)
}

/// The body of an answer that a test sends piece by piece.
public final class TestStream: Sendable {
    private struct State {
        var waiting: [String] = []
        var isFinished = false
        var sink: (@Sendable (String?) -> Void)?
    }

    private let state = Mutex(State())

    public init() {}

    public func send(_ text: String) {
        state.withLock { state in
            if let sink = state.sink { sink(text) } else { state.waiting.append(text) }
        }
    }

    /// Ends the connection without the proper end of the body.
    public func finish() {
        state.withLock { state in
            state.isFinished = true
            state.sink?(nil)
        }
    }

    /// Sends on what came so far and what comes; nil is the end. The sink only hands over to an event loop.
    func attach(_ sink: @escaping @Sendable (String?) -> Void) {
        state.withLock { state in
            for text in state.waiting { sink(text) }
            if state.isFinished { sink(nil) }
            state.waiting = []
            state.sink = sink
        }
    }
}

/// A server on a port of its own on the loopback interface that does as a test tells it.
public struct TestServer: Sendable {
    public typealias Handler = @Sendable (TestRequest) -> TestReaction

    /// Such as `http://127.0.0.1:4711`.
    public let address: String

    /// PEM of a certificate and its key.
    public struct Identity: Sendable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }

        fileprivate var context: NIOSSLContext {
            get throws {
                let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
                let key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
                return try NIOSSLContext(
                    configuration: .makeServerConfiguration(
                        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
            }
        }
    }

    /// Runs `body` while the server listens.
    ///
    /// - Parameter identity: speaks TLS with it when given.
    public static func with<Result>(
        _ handler: @escaping Handler, identity: Identity? = nil,
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let tls = try identity?.context
        let connections = Connections()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(RequestReader(handler))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        let result: Result
        do {
            result = try await body(
                TestServer(address: "\(tls == nil ? "http" : "https")://127.0.0.1:\(port)"))
        } catch {
            try await end(listener, connections)
            throw error
        }
        try await end(listener, connections)
        return result
    }

    private static func end(_ listener: any Channel, _ connections: Connections) async throws {
        try await listener.close()
        for channel in connections.all { channel.close(promise: nil) }
    }

    private final class Connections: Sendable {
        private let channels = Mutex<[any Channel]>([])

        var all: [any Channel] { channels.withLock { $0 } }
        func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }
    }
}

/// Gathers one request after another and does with it what the handler says.
private final class RequestReader: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let handler: TestServer.Handler
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ handler: @escaping TestServer.Handler) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let received):
            head = received
            body = []
        case .body(let bytes): body += bytes.readableBytesView
        case .end:
            guard let head else { return }
            react(handler(Self.request(head, body)), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func react(_ reaction: TestReaction, _ context: ChannelHandlerContext) {
        switch reaction {
        case .drop: context.close(promise: nil)
        case .answer(let status, let headers, let body):
            var fields = HTTPHeaders(headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            fields.replaceOrAdd(name: "content-length", value: String(body.count))
            context.write(wrapOutboundOut(.head(Self.head(status, fields))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .stream(let stream):
            let fields: HTTPHeaders = ["content-type": "text/event-stream", "transfer-encoding": "chunked"]
            context.writeAndFlush(wrapOutboundOut(.head(Self.head(200, fields))), promise: nil)
            let channel = context.channel
            stream.attach { text in
                guard let text else { return channel.close(promise: nil) }
                let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text)))
                channel.writeAndFlush(part, promise: nil)
            }
        }
    }

    private static func head(_ status: Int, _ headers: HTTPHeaders) -> HTTPResponseHead {
        HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
    }

    private static func request(_ head: HTTPRequestHead, _ body: [UInt8]) -> TestRequest {
        let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
        var query: [String: String] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { unescaped($0) }
            query[sides[0]] = sides.count > 1 ? sides[1] : ""
        }
        var headers: [String: String] = [:]
        for (name, value) in head.headers { headers[name.lowercased()] = value }
        return TestRequest(
            method: head.method.rawValue, path: parts[0], query: query, headers: headers, body: body)
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
