/// Which shapes a scheduler may give a job, given the one that was submitted.
public enum ShapeFreedom: Sendable, Hashable {
    /// All.
    case any
    /// The submitted number of GPUs, in any plan.
    case submittedGPUs
    /// Any number of GPUs, in the submitted kind of plan.
    case submittedStrategy
    /// The submitted number of GPUs and plan, wherever they lie.
    case submittedPlan
    /// As submitted.
    case none

    public func permits(_ point: SpeedPoint, _ submitted: SpeedPoint) -> Bool {
        switch self {
        case .any: true
        case .submittedGPUs: point.gpus == submitted.gpus
        case .submittedStrategy: Self.isSameStrategy(point.plan, submitted.plan)
        case .submittedPlan: point.gpus == submitted.gpus && point.plan == submitted.plan
        case .none: point.placement == submitted.placement && point.plan == submitted.plan
        }
    }

    /// Of plans of degrees, those that differ in the data degree alone.
    private static func isSameStrategy(_ one: String, _ other: String) -> Bool {
        guard one.count == 3, other.count == 3, one.allSatisfy(\.isNumber), other.allSatisfy(\.isNumber)
        else {
            return one == other
        }
        return one.prefix(2) == other.prefix(2)
    }
}
