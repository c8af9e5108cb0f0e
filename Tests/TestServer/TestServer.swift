internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

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
    /// Sends the head and then the chunks as they come; ends the connection without its proper end when the
    /// stream does.
    case stream(AsyncStream<String>)
}

/// A server on a port of its own on the loopback interface that does as a test tells it.
public struct TestServer: Sendable {
    public typealias Handler = @Sendable (TestRequest) async -> TestReaction

    /// Such as `http://127.0.0.1:4711`.
    public let address: String

    /// Runs `body` while the server listens.
    public static func with<Result>(
        _ handler: @escaping Handler, _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        guard let port = listener.channel.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await accept(listener, handler) }
            let result = try await body(TestServer(address: "http://127.0.0.1:\(port)"))
            group.cancelAll()
            return result
        }
    }

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private static func accept(
        _ listener: NIOAsyncChannel<Connection, Never>, _ handler: @escaping Handler
    ) async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    // A client that hangs up is no failure of a test.
                    group.addTask { try? await serve(connection, handler) }
                }
            }
        }
    }

    private static func serve(_ connection: Connection, _ handler: Handler) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let received):
                    head = received
                    body = []
                case .body(let bytes): body += bytes.readableBytesView
                case .end:
                    guard let head else { return }
                    guard try await react(await handler(request(head, body)), outbound) else { return }
                }
            }
        }
    }

    /// - Returns: whether the connection goes on.
    private static func react(
        _ reaction: TestReaction, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws -> Bool {
        switch reaction {
        case .drop: return false
        case .answer(let status, let headers, let body):
            var fields = HTTPHeaders(headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            fields.replaceOrAdd(name: "content-length", value: String(body.count))
            try await outbound.write(.head(head(status, fields)))
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body))))
            try await outbound.write(.end(nil))
            return true
        case .stream(let chunks):
            let fields: HTTPHeaders = ["content-type": "text/event-stream", "transfer-encoding": "chunked"]
            try await outbound.write(.head(head(200, fields)))
            for await chunk in chunks {
                try await outbound.write(.body(.byteBuffer(ByteBuffer(string: chunk))))
            }
            return false
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
