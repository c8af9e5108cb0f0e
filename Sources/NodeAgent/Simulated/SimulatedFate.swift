import Fleet
import Foundation

/// What will happen to one allocation: a function of the seed and its id, so it is the same after a restart
/// and whatever else happens.
struct SimulatedFate {
    var startLatency: Duration
    var stopLatency: Duration
    var startFails: Bool

    init(of allocation: ID<Allocation>, spec: SimulatedFleetSpec) {
        let bytes = withUnsafeBytes(of: allocation.uuid.uuid) { Array($0) }
        var random = SplitMix64(seed: spec.seed ^ StableHash.of(bytes))
        startLatency = spec.startLatency.sample(&random)
        stopLatency = spec.stopLatency.sample(&random)
        startFails = Int(random.next() % 1_000_000) < spec.startFailuresPerMillion
    }
}
