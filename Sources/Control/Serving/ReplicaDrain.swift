internal import Fleet

/// How a replica that is to stop gets there: pure.
///
/// It serves as long as routes lead to it, drains once they do not, is drained when every router that reports
/// follows routes without it and has no request on it, or when its time is over, and is stopped then.
struct ReplicaDrain: Equatable {
    /// What is known of a replica at a moment.
    struct Sight {
        /// Of the routes in force.
        var version: Int
        var isRouted: Bool
        /// Whether it was told to stop.
        var isStopping: Bool
        /// Requests on it, of all routers, once they follow a version at least; nil while one does not.
        var underWay: (_ version: Int) -> Int?
        /// What requests under way get.
        var patience: Duration
        /// When it stops whatever is under way; nil where nothing presses.
        var limit: Timestamp?
    }

    private struct Left: Equatable {
        var version: Int
        var at: Timestamp
    }

    var cause: ReplicaLeave.Cause
    let since: Timestamp
    private(set) var state = ReplicaLeave.State.serving
    private(set) var deadline: Timestamp?
    private(set) var underWay: Int?
    /// The first routes without it.
    private var left: Left?

    init(cause: ReplicaLeave.Cause, since: Timestamp) {
        self.cause = cause
        self.since = since
    }

    /// Goes on where another controller stopped.
    ///
    /// - Parameter version: of the routes in force.
    init(_ leave: ReplicaLeave, version: Int) {
        cause = leave.cause
        since = leave.since
        state = leave.state
        deadline = leave.deadline
        underWay = leave.underWay
        left = leave.state == .serving ? nil : Left(version: version, at: leave.since)
    }

    mutating func look(_ sight: Sight, now: Timestamp) {
        guard !sight.isStopping else {
            state = .stopping
            return
        }
        guard !sight.isRouted else {
            left = nil
            underWay = nil
            deadline = sight.limit
            state = sight.limit.map { $0 <= now } ?? false ? .drained : .serving
            return
        }
        let left = left ?? Left(version: sight.version, at: now)
        self.left = left
        let usual = left.at.advanced(by: sight.patience)
        let deadline = min(usual, sight.limit ?? usual)
        self.deadline = deadline
        underWay = sight.underWay(left.version)
        state = underWay == 0 || deadline <= now ? .drained : .draining
    }

    /// Whether it may stop, or does so.
    var isOver: Bool { state == .drained || state == .stopping }

    func leave(named name: String) -> ReplicaLeave {
        ReplicaLeave(
            name: name, state: state, cause: cause, since: since, deadline: deadline, underWay: underWay)
    }
}
