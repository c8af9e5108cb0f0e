import AsyncHTTPClient
import FaultProxy
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// An upstream that answers in capitals, the proxy `up` before it, and the REST interface.
struct Stage {
    let api: String
    let port: Int

    struct Answer {
        var status: UInt
        var json: [String: Any]?
    }

    static func run(
        unit: @escaping @Sendable () -> Double = { 0 }, _ body: @Sendable (Stage) async throws -> Void
    ) async throws {
        let upstream = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Capitals())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let logger = Logger(label: "proxy") { _ in SwiftLogNoOpLogHandler() }
        let keeper = ProxyKeeper(unit: unit, logger: logger)
        let server = ProxyServer(keeper)
        let (running, source) = AsyncStream.makeStream(of: Int.self)
        let application = server.application(host: "127.0.0.1", port: 0, logger: logger) { source.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await keeper.run() }
            group.addTask { try await application.run() }
            var ports = running.makeAsyncIterator()
            let api = "http://127.0.0.1:\(try #require(await ports.next()))"
            try await server.populate([
                ProxyDescription(
                    name: "up", listen: "127.0.0.1:0",
                    upstream: "127.0.0.1:\(try #require(upstream.localAddress?.port))")
            ])
            let shown = try await Self.ask(.GET, api + "/proxies/up")
            let listen = try #require(shown.json?["listen"] as? String)
            let port = try #require(listen.split(separator: ":").last.flatMap { Int($0) })
            try await body(Stage(api: api, port: port))
            group.cancelAll()
            // why: ended by being cancelled.
            while let result = await group.nextResult() { _ = result }
        }
        try await upstream.close()
    }

    func ask(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws -> Answer {
        try await Self.ask(method, api + path, body)
    }

    private static func ask(_ method: HTTPMethod, _ url: String, _ body: String? = nil) async throws -> Answer
    {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await answer.body.collect(upTo: 1 << 20)
        let json = try? JSONSerialization.jsonObject(with: Data(bytes.readableBytesView))
        return Answer(status: answer.status.code, json: json as? [String: Any])
    }

    func toxic(_ type: String, attributes: String, toxicity: Double = 1) async throws -> Answer {
        try await ask(
            .POST, "/proxies/up/toxics",
            #"{"type":"\#(type)","toxicity":\#(toxicity),"attributes":\#(attributes)}"#)
    }

    func connect() async throws -> Connection { try await Connection(port: port) }

    /// Sends a text on a new connection and takes as much of an answer.
    func send(_ text: String) async throws -> String {
        let connection = try await connect()
        try await connection.write(text)
        var answer = ""
        while answer.utf8.count < text.utf8.count {
            guard let more = try await connection.read(for: .seconds(60)) else {
                throw ChannelError.ioOnClosedChannel
            }
            answer += more
        }
        connection.close()
        return answer
    }
}

/// A blocking socket on a thread pool, for a client that sees exactly what a kernel tells it.
final class Connection: Sendable {
    private let descriptor: Int32

    init(port: Int) async throws {
        descriptor = try await NIOThreadPool.singleton.runIfActive {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0 else {
                Foundation.close(descriptor)
                throw ChannelError.connectPending
            }
            return descriptor
        }
    }

    func write(_ text: String) async throws {
        let sent = Foundation.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        guard sent == text.utf8.count else { throw ChannelError.ioOnClosedChannel }
    }

    /// Nil when nothing came in time or the connection is closed.
    func read(for limit: Duration) async throws -> String? {
        let milliseconds =
            Int32(limit.components.seconds * 1000)
            + Int32(limit.components.attoseconds / 1_000_000_000_000_000)
        return try await NIOThreadPool.singleton.runIfActive { [descriptor] in
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&poller, 1, milliseconds) > 0 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }

    func readToEnd() async throws -> String {
        var all = ""
        while let more = try await read(for: .seconds(60)) { all += more }
        return all
    }

    /// Whether the other side ends it, in whatever way.
    func isClosed() async throws -> Bool {
        try await NIOThreadPool.singleton.runIfActive { [descriptor] in
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&poller, 1, 60_000) > 0 else { return false }
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, 0) <= 0
        }
    }

    func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { Foundation.close(descriptor) }
}

private final class Capitals: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data)).uppercased()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
