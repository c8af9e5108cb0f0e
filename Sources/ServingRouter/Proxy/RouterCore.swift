internal import Fleet
internal import Foundation
internal import Logging
internal import NIOCore
internal import Synchronization
internal import Telemetry

/// What all connections of a router share.
final class RouterCore: Sendable {
    let board: RouteBoard
    let limits: RouterLimits
    let metrics: MetricRegistry<RouterMetric>
    let gate: RequestGate
    let logger: Logger
    let sight = RequestSight()
    let name: String
    private let requests = Atomic(0)
    private let pools = Mutex<[ObjectIdentifier: NIOLoopBound<UpstreamPool>]>([:])
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// - Parameter name: first part of the ids of requests that come without one.
    init(
        board: RouteBoard, limits: RouterLimits, metrics: MetricRegistry<RouterMetric>, name: String,
        logger: Logger
    ) {
        self.board = board
        self.limits = limits
        self.metrics = metrics
        self.name = name
        self.logger = logger
        gate = RequestGate(limits)
    }

    func nextRequestID() -> String { "\(name)-\(requests.add(1, ordering: .relaxed).newValue)" }

    /// The connections to replicas that belong to an event loop; called on it.
    func pool(on eventLoop: any EventLoop) -> UpstreamPool {
        let bound = pools.withLock { pools in
            if let known = pools[ObjectIdentifier(eventLoop)] { return known }
            let made = NIOLoopBound(
                UpstreamPool(eventLoop: eventLoop, limits: limits), eventLoop: eventLoop)
            pools[ObjectIdentifier(eventLoop)] = made
            return made
        }
        return bound.value
    }

    // MARK: Connections of clients

    func opened(_ channel: any Channel) {
        channels.withLock { $0[ObjectIdentifier(channel)] = channel }
    }

    func closed(_ channel: any Channel) {
        channels.withLock { $0[ObjectIdentifier(channel)] = nil }
    }

    func closeAll() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }

    // MARK: What the router says of itself

    /// In Prometheus' text format.
    var exposition: String {
        metrics.set(.underWay, to: Double(gate.requestsUnderWay))
        metrics.set(.connections, to: Double(gate.openConnections))
        let states = board.states
        for (state, isDraining) in [("serving", false), ("draining", true)] {
            let some = states.filter { $0.isDraining == isDraining }
            metrics.replace(
                .replicaUnderWay, first: state,
                with: Dictionary(
                    some.map { ([$0.name], Double($0.underWay)) }, uniquingKeysWith: { $0 + $1 }))
        }
        return metrics.text
    }

    private struct Status: Encodable {
        var epoch: Int?
        var version: Int?
        var model: String?
        var requestsUnderWay: Int
        var replicas: [RoutePicker.ReplicaState]
    }

    /// As JSON.
    var status: String {
        let routes = board.routes
        return json(
            Status(
                epoch: routes?.epoch, version: routes?.version, model: routes?.model,
                requestsUnderWay: gate.requestsUnderWay, replicas: board.states))
    }
}
