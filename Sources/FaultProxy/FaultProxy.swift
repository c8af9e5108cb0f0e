internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// One proxy: listens while it is enabled, and leads each connection to its upstream by way of the toxics.
final class FaultProxy: Sendable {
    private struct State {
        var description: ProxyDescription
        var listener: (any Channel)?
    }

    let name: String
    let toxics = ToxicSet()
    private let state: Mutex<State>
    private let unit: @Sendable () -> Double
    private let logger: Logger

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(_ description: ProxyDescription, unit: @escaping @Sendable () -> Double, logger: Logger) {
        name = description.name
        self.unit = unit
        self.logger = logger
        state = Mutex(State(description: description))
        toxics.all = description.toxics
    }

    /// As it is now; `listen` names the port that was taken.
    var description: ProxyDescription {
        var (description, isUp) = state.withLock { ($0.description, $0.listener != nil) }
        description.toxics = toxics.all
        description.enabled = isUp
        return description
    }

    func setUpstream(_ upstream: String) { state.withLock { $0.description.upstream = upstream } }

    /// Closes the listener and, with it, every connection.
    func disable() async throws {
        let listener = state.withLock { state in
            defer { state.listener = nil }
            return state.listener
        }
        try await listener?.close()
    }

    /// Serves until it is disabled.
    /// - Parameter isListening: is told once it listens, or that it cannot.
    func serve(_ isListening: CheckedContinuation<Void, any Error>) async {
        let server: NIOAsyncChannel<Connection, Never>
        do {
            let (host, port) = try Self.address(state.withLock { $0.description.listen })
            server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.wrap(channel) }
                }
            let bound = server.channel.localAddress?.port ?? port
            state.withLock { state in
                state.listener = server.channel
                state.description.listen = "\(host):\(bound)"
            }
            isListening.resume()
        } catch {
            return isListening.resume(throwing: error)
        }
        do {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { await self.lead(connection) }
                    }
                    // The listener is closed: whoever is connected is not served any more.
                    group.cancelAll()
                }
            }
        } catch {
            logger.debug("a proxy ended", metadata: ["proxy": "\(name)", "error": "\(error)"])
        }
        state.withLock { $0.listener = nil }
    }

    /// Leads one connection until either side is done.
    private func lead(_ client: Connection) async {
        do {
            let server = try await connect()
            let end = try await client.executeThenClose { fromClient, toClient in
                try await server.executeThenClose { fromServer, toServer in
                    let up = ProxyPipe(toxics: toxics, stream: .upstream, unit: unit)
                    let down = ProxyPipe(toxics: toxics, stream: .downstream, unit: unit)
                    let end = try await withThrowingTaskGroup(of: ProxyPipe.End.self) { group in
                        group.addTask { try await up.run(from: fromClient, to: toServer) }
                        group.addTask { try await down.run(from: fromServer, to: toClient) }
                        // One side that is done ends the other: no protocol here lives on half-closed.
                        let first = try await group.next()
                        group.cancelAll()
                        return first ?? .closed
                    }
                    if end == .reset {
                        // Closed with nothing to linger for, the kernel sends a reset.
                        let options = client.channel as? any SocketOptionProvider
                        try await options?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                    }
                    return end
                }
            }
            logger.trace("a connection ended", metadata: ["proxy": "\(name)", "end": "\(end)"])
        } catch {
            logger.debug("a connection broke", metadata: ["proxy": "\(name)", "error": "\(error)"])
            // why `try?`: it may be closed already.
            try? await client.channel.close()
        }
    }

    private func connect() async throws -> Connection {
        let upstream = state.withLock { $0.description.upstream }
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
        if upstream.hasPrefix("unix:") {
            return try await bootstrap.connect(unixDomainSocketPath: String(upstream.dropFirst(5))) {
                channel in channel.eventLoop.makeCompletedFuture { try Self.wrap(channel) }
            }
        }
        let (host, port) = try Self.address(upstream)
        return try await bootstrap.connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture { try Self.wrap(channel) }
        }
    }

    private static func wrap(_ channel: any Channel) throws -> Connection {
        try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: false))
    }

    /// - Throws: `ProxyRefusal` of what is not written as HOST:PORT.
    static func address(_ text: String) throws(ProxyRefusal) -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { throw ProxyRefusal(.invalid, "\"\(text.prefix(80))\" is not written as HOST:PORT") }
        let host = text[..<colon].trimmingPrefix("[")
        let name = host.hasSuffix("]") ? host.dropLast() : host
        return (name.isEmpty ? "127.0.0.1" : String(name), port)
    }
}

/// Why a request is not carried out.
struct ProxyRefusal: Error, Sendable, Hashable {
    enum Code: Sendable, Hashable { case invalid, unknown, taken }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
