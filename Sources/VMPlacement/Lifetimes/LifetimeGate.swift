/// What predictions are good enough for, by how often predicted classes were right lately.
///
/// Measured on the Azure trace of 2017: LAVA is ahead of NILAS from .72 on; NILAS with re-prediction is ahead of
/// best fit down to .56. Of a model that knows no more than sizes (.18), NILAS makes less than best fit in one
/// quarter of the trace, so below .5 nothing is built on predictions.
enum LifetimeGate: Comparable {
    /// Neither exits nor classes: best fit.
    case closed
    /// Exits, which re-prediction mends: NILAS.
    case exits
    /// Classes too: LAVA.
    case classes

    private static let leastForExits = 0.5
    private static let leastForClasses = 0.75

    /// Closed until enough VMs were judged.
    init(_ accuracy: ClassAccuracy) {
        self =
            switch accuracy.share {
            case .some(Self.leastForClasses...): .classes
            case .some(Self.leastForExits...): .exits
            default: .closed
            }
    }
}
