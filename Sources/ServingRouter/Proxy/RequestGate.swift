internal import Synchronization

/// Counts what is under way, and says when it is enough.
final class RequestGate: Sendable {
    private let limits: RouterLimits
    private let requests = Atomic(0)
    private let connections = Atomic(0)
    private let stops = Atomic(false)

    init(_ limits: RouterLimits) { self.limits = limits }

    var requestsUnderWay: Int { requests.load(ordering: .relaxed) }
    var openConnections: Int { connections.load(ordering: .relaxed) }
    var isStopping: Bool { stops.load(ordering: .relaxed) }

    func stop() { stops.store(true, ordering: .relaxed) }

    /// - Returns: whether there is room for the request; `leave` must follow then.
    func enter() -> Bool {
        if requests.add(1, ordering: .relaxed).newValue <= limits.requests { return true }
        requests.subtract(1, ordering: .relaxed)
        return false
    }

    func leave() { requests.subtract(1, ordering: .relaxed) }

    /// Counts a connection; `disconnected` must follow.
    ///
    /// - Returns: whether there is room for its requests.
    func connected() -> Bool { connections.add(1, ordering: .relaxed).newValue <= limits.connections }

    func disconnected() { connections.subtract(1, ordering: .relaxed) }
}
