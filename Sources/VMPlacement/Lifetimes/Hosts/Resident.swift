import Fleet

/// A VM on a host, as lifetimes see it.
struct Resident: Sendable {
    let allocation: ID<Allocation>
    let features: VMFeatures
    /// When the VM started, which is before it came here if it has moved; microseconds.
    let startedAt: Int64
    /// End by the prediction at its start, microseconds.
    let firstExit: Int64
    /// Class by the prediction when it came.
    let firstClass: LifetimeClass
    var isResidual = false
}
