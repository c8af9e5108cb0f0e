/// What a plan has to be repaired after.
public enum PlanEvent: Sendable, Hashable {
    /// A GPU that is no more, such as `node-1/0`.
    case gpuLost(String)
    /// Requests come otherwise than the plan was made for.
    case shift(ServingWorkload)

    var text: String {
        switch self {
        case .gpuLost(let id): "gpu-lost:\(id)"
        case .shift: "shift"
        }
    }
}
