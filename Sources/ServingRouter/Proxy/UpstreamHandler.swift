internal import Fleet
internal import NIOCore
internal import NIOHTTP1

/// The router's end of a connection to a replica. Belongs to one event loop, as all that it talks to.
final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    let address: ReplicaAddress
    private let pool: UpstreamPool
    private var context: ChannelHandlerContext?
    /// Who waits for an answer; nil while the connection rests in its pool.
    private var exchange: Exchange?
    private var keepsAlive = false
    /// Whether it rested in its pool: the replica may close it in the moment in which it is used again.
    private(set) var isReused = false
    private(set) var isOpen = true

    init(address: ReplicaAddress, pool: UpstreamPool) {
        self.address = address
        self.pool = pool
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: From the exchange

    func send(_ head: HTTPRequestHead, _ body: ByteBuffer, for exchange: Exchange) {
        self.exchange = exchange
        guard let context else { return lost() }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Stops reading while the client does not keep up, so that nothing piles up here: the replica's own
    /// socket fills, and it waits.
    func setReading(_ isReading: Bool) {
        guard let options = context?.channel.syncOptions else { return }
        // why: a channel that is closed has nothing to read
        try? options.setOption(.autoRead, value: isReading)
    }

    /// It goes into its pool.
    func rest() {
        isReused = true
        setReading(true)
    }

    /// Ends the connection without a word to the exchange.
    func abandon() {
        exchange = nil
        isOpen = false
        context?.close(promise: nil)
    }

    // MARK: From the replica

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else {
            // It says something that nobody asked for.
            return abandon()
        }
        switch unwrapInboundIn(data) {
        case .head(let head):
            keepsAlive = head.isKeepAlive
            exchange.received(head)
        case .body(let bytes): exchange.received(bytes)
        case .end:
            self.exchange = nil
            if keepsAlive, isOpen { pool.keep(self) } else { abandon() }
            exchange.receivedEnd()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { exchange?.receivedAllForNow() }

    func channelInactive(context: ChannelHandlerContext) {
        lost()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func lost() {
        isOpen = false
        pool.forget(self)
        let exchange = exchange
        self.exchange = nil
        exchange?.lost(wasReused: isReused)
    }
}
