/// Why no model can be made.
public enum TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// VMs that ended, and how many it takes.
    case tooFewEnds(Int, least: Int)
    /// No VM has the feature.
    case unknownFeature(String)

    public var description: String {
        switch self {
        case .tooFewEnds(let count, let least):
            "\(count) VMs ended in the time to learn from; it takes at least \(least)"
        case .unknownFeature(let name): "no VM of the trace has the feature \"\(name)\""
        }
    }
}
