internal import Fleet
internal import Store

/// The fleet clock as it follows from the lease clock. Lifetimes, and the deadlines made of them, go by it.
struct FleetClock: Equatable {
    /// On the lease clock: since when the rate is what it is.
    private var realOrigin = Timestamp(microseconds: 0)
    /// The same moment on the fleet clock.
    private var fleetOrigin = Timestamp(microseconds: 0)
    private var rate = 1.0

    /// The lease clock itself.
    init() {}

    init(_ state: ClusterState) {
        realOrigin = state.realOrigin
        fleetOrigin = state.fleetOrigin
        rate = state.fleetRate
    }

    /// Fleet time at a time of the lease clock. Earlier rates are not known: before the present one a second
    /// is taken for a second, which makes nothing older than it is.
    func time(at real: Timestamp) -> Timestamp {
        let seconds = real.since(realOrigin).inSeconds
        return fleetOrigin.advanced(by: .seconds(seconds < 0 ? seconds : seconds * rate))
    }

    /// Seconds of the fleet clock above those of the lease clock, in a span of that one.
    func fleetSeconds(ahead real: Duration) -> Double { max(0, real.inSeconds * (rate - 1)) }
}
