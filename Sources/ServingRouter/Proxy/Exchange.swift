internal import Fleet
internal import NIOCore
internal import NIOHTTP1
internal import Telemetry

/// One request on its way: sent to a replica, to another one when the first is dead, and its answer passed on
/// piece by piece. Belongs to one event loop.
final class Exchange {
    private let core: RouterCore
    private let pool: UpstreamPool
    /// Nil once the client is gone or has its answer.
    private var client: ClientHandler?
    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let start: NIODeadline

    private var choice: RoutePicker.Choice?
    private var failed: [RoutePicker.Choice] = []
    private var upstream: UpstreamHandler?
    private var status: UInt?
    private var hasBegun = false
    private var isEventStream = false
    private var hasReconnected = false
    /// When a side last moved.
    private var lastMove: NIODeadline
    private var silence: Scheduled<Void>?

    init(
        _ core: RouterCore, _ pool: UpstreamPool, client: ClientHandler, head: HTTPRequestHead,
        body: ByteBuffer
    ) {
        self.core = core
        self.pool = pool
        self.client = client
        self.head = head
        self.body = body
        start = .now()
        lastMove = start
    }

    func begin() {
        core.sight.arrived()
        watch(from: start)
        attempt()
    }

    // MARK: Sending

    private func attempt() {
        do throws(RoutePicker.Refusal) {
            choice = try core.board.choose(avoiding: failed)
        } catch {
            switch error {
            case .busy: return refuse(.replicasBusy)
            case .noRoute: return refuse(failed.isEmpty ? .noRoutes : .replicasFailed)
            }
        }
        hasReconnected = false
        connect(isNew: false)
    }

    private func connect(isNew: Bool) {
        guard let choice, let address = ReplicaAddress(choice.decode.address) else {
            return attemptFailed(.failed)
        }
        pool.connection(to: address, isNew: isNew) { [self] connection in
            guard client != nil else {
                if let connection { pool.keep(connection) }
                return
            }
            guard let connection else { return attemptFailed(.failed) }
            upstream = connection
            lastMove = .now()
            let head = ForwardedHeaders.request(
                head, bytes: body.readableBytes, to: choice, id: core.nextRequestID())
            connection.send(head, body, for: self)
        }
    }

    private func attemptFailed(_ outcome: RoutePicker.Outcome) {
        upstream = nil
        if let choice {
            core.board.end(choice, outcome)
            core.metrics.add(
                .replicaFailures,
                [outcome == .prefillFailed ? choice.prefill.name : choice.decode.name])
            failed.append(choice)
        }
        choice = nil
        if status != nil { return cut() }
        guard failed.count <= core.limits.retries else { return refuse(.replicasFailed) }
        core.metrics.add(.retries)
        attempt()
    }

    // MARK: From the replica

    /// A replica that says that it cannot now; another one may.
    private static let unable: Set<UInt> = [502, 503, 504]

    func received(_ head: HTTPResponseHead) {
        guard let client, let choice else { return }
        lastMove = .now()
        if Self.unable.contains(head.status.code), failed.count < core.limits.retries {
            upstream?.abandon()
            let isPrefill = head.headers.first(name: ForwardedHeaders.failed) == "prefill"
            return attemptFailed(isPrefill ? .prefillFailed : .failed)
        }
        status = head.status.code
        isEventStream = head.headers.first(name: "content-type")?.hasPrefix("text/event-stream") ?? false
        core.metrics.observe(.firstByteSeconds, [], Self.seconds(.now() - start))
        client.begin(
            ForwardedHeaders.response(
                head, from: choice, version: client.version, isLast: !client.keepsAlive))
    }

    func received(_ bytes: ByteBuffer) {
        lastMove = .now()
        if !hasBegun {
            hasBegun = true
            core.sight.began(after: 1000 * Self.seconds(lastMove - start))
        }
        client?.write(bytes)
        if client?.isWritable == false { upstream?.setReading(false) }
    }

    func receivedAllForNow() { if status != nil { client?.flush() } }

    func receivedEnd() {
        upstream = nil
        if let choice { core.board.end(choice, .served) }
        choice = nil
        core.metrics.add(.requests, [String(status ?? 0)])
        core.metrics.observe(.answerSeconds, [], Self.seconds(.now() - start))
        finish { $0.end() }
    }

    /// - Parameter wasReused: whether the connection had rested; the replica may have closed it meanwhile.
    func lost(wasReused: Bool) {
        upstream = nil
        guard client != nil else { return }
        if wasReused, status == nil, !hasReconnected {
            hasReconnected = true
            return connect(isNew: true)
        }
        attemptFailed(.failed)
    }

    // MARK: From the client

    func clientIsWritable(_ isWritable: Bool) {
        lastMove = .now()
        upstream?.setReading(isWritable)
    }

    /// The client went away: the replica need not go on.
    func clientIsGone() {
        guard client != nil else { return }
        upstream?.abandon()
        if let choice { core.board.end(choice, .unknown) }
        choice = nil
        finish { _ in }
    }

    // MARK: The end

    private func refuse(_ error: RouterError) {
        core.sight.failed()
        finish { $0.refuse(error) }
    }

    /// The answer began and cannot go on: the client must not take it for whole.
    private func cut() {
        core.metrics.add(.cut)
        core.sight.failed()
        finish { [isEventStream] client in
            if isEventStream {
                client.write(ByteBuffer(string: "data: \(RouterError.replicasFailed.body)\n\n"))
            }
            client.cut()
        }
    }

    private func finish(_ last: (ClientHandler) -> Void) {
        guard let client else { return }
        self.client = nil
        silence?.cancel()
        silence = nil
        core.gate.leave()
        client.exchangeEnded()
        last(client)
    }

    /// Looks once in a while whether anything moved, instead of moving a timer with every piece.
    private func watch(from moment: NIODeadline) {
        silence = pool.eventLoop.assumeIsolated().scheduleTask(deadline: moment + core.limits.silence) {
            [self] in
            guard client != nil else { return }
            if lastMove > moment { return watch(from: lastMove) }
            upstream?.abandon()
            upstream = nil
            if let choice { core.board.end(choice, .failed) }
            choice = nil
            if status == nil { refuse(.replicaSilent) } else { cut() }
        }
    }

    private static func seconds(_ amount: TimeAmount) -> Double { Double(amount.nanoseconds) / 1e9 }
}
