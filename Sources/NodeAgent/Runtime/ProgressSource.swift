public import AgentProtocol

/// Tells how far parts of training jobs are.
public protocol ProgressSource: Sendable {
    /// Of parts that told something since the last call, ended ones included; nil for none.
    func progress() async -> [PartProgress]?
}
