internal import Fleet
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Connections to replicas of one event loop: requests stay on the thread on which they came, without locks
/// and without waking another.
final class UpstreamPool {
    let eventLoop: any EventLoop
    private let limits: RouterLimits
    /// The one that was used last is used first, so that those too many are closed by the replica in time.
    private var idle: [ReplicaAddress: [UpstreamHandler]] = [:]

    init(eventLoop: any EventLoop, limits: RouterLimits) {
        self.eventLoop = eventLoop
        self.limits = limits
    }

    /// Hands over an open connection: one that rests, or a new one.
    ///
    /// - Parameters:
    ///   - isNew: whether one that rests will not do.
    ///   - done: called on the event loop; at once where one rests.
    func connection(
        to address: ReplicaAddress, isNew: Bool, _ done: @escaping (UpstreamHandler?) -> Void
    ) {
        if !isNew, let resting = idle[address]?.popLast() { return done(resting) }
        let connection = NIOLoopBound(UpstreamHandler(address: address, pool: self), eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(limits.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(connection.value)
                }
            }
            .connect(host: address.host, port: address.port)
            .assumeIsolated()
            .whenComplete { result in
                if case .success = result { done(connection.value) } else { done(nil) }
            }
    }

    /// Takes a connection back that can serve another request.
    func keep(_ connection: UpstreamHandler) {
        guard connection.isOpen, (idle[connection.address]?.count ?? 0) < limits.pooled else {
            return connection.abandon()
        }
        connection.rest()
        idle[connection.address, default: []].append(connection)
    }

    /// Drops a connection that ended.
    func forget(_ connection: UpstreamHandler) {
        idle[connection.address]?.removeAll { $0 === connection }
        if idle[connection.address]?.isEmpty == true { idle[connection.address] = nil }
    }
}
