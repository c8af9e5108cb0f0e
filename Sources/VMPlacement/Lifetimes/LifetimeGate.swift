/// When predictions are good enough for what is built on them.
enum LifetimeGate {
    /// Share of right classes from which on LAVA's classes help; below it they hurt, while the temporal cost with
    /// re-prediction still helps. Measured: LAVA is ahead of NILAS from .72 on.
    static let leastAccuracy = 0.75
}

extension LifetimeTable {
    /// Whether classes were right often enough; not before enough VMs were judged.
    var trustsClasses: Bool { accuracy.share.map { $0 >= LifetimeGate.leastAccuracy } ?? false }
}
