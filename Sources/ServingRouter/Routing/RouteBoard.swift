public import Fleet
internal import Synchronization

/// The routes in force, shared by who follows them and by who sends requests.
public final class RouteBoard: Sendable {
    /// Time since some moment; only orders failures.
    public typealias Uptime = @Sendable () -> Duration

    private let picker = Mutex(RoutePicker())
    private let uptime: Uptime

    public init(uptime: @escaping Uptime) { self.uptime = uptime }

    /// Nil before the first ones came.
    public var routes: ServingRoutes? { picker.withLock { $0.routes } }

    /// Whether a request would have somewhere to go.
    public var isReady: Bool { picker.withLock { $0.routes?.pairs.isEmpty == false } }

    /// Follows them unless they are older than those in force.
    ///
    /// - Returns: whether they are now in force.
    @discardableResult
    public func adopt(_ routes: ServingRoutes) -> Bool {
        picker.withLock { picker in
            if let held = picker.routes, !routes.replaces(held) { return false }
            picker.adopt(routes)
            return true
        }
    }

    func choose(avoiding failed: [RoutePicker.Choice]) throws(RoutePicker.Refusal) -> RoutePicker.Choice {
        let now = uptime()
        return try picker.withLock { picker throws(RoutePicker.Refusal) in
            try picker.choose(avoiding: failed, at: now)
        }
    }

    func end(_ choice: RoutePicker.Choice, _ outcome: RoutePicker.Outcome) {
        let now = uptime()
        picker.withLock { $0.end(choice, outcome, at: now) }
    }

    /// Takes what a look at a replica found.
    ///
    /// - Returns: whether that is news.
    func note(_ replica: ServingRoutes.Replica, isReady: Bool) -> Bool {
        picker.withLock { $0.note(replica, isReady: isReady) }
    }

    /// The routes in force and the requests under way, of one moment.
    var sight: (routes: ServingRoutes?, underWay: [String: Int]) {
        picker.withLock { ($0.routes, $0.underWay) }
    }

    var states: [RoutePicker.ReplicaState] {
        let now = uptime()
        return picker.withLock { $0.states(at: now) }
    }
}
