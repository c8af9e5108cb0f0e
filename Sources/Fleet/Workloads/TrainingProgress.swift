/// How far a part of a training job is, as its process told its agent.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// Steps that are done.
    public var step: Int
    /// Steps whose result is on disk.
    public var checkpointStep: Int
    /// Mean of the last steps.
    public var iterationMilliseconds: Double?
    /// When the controllers heard of it.
    public var at: Timestamp

    public init(step: Int, checkpointStep: Int, iterationMilliseconds: Double?, at: Timestamp) {
        self.step = step
        self.checkpointStep = checkpointStep
        self.iterationMilliseconds = iterationMilliseconds
        self.at = at
    }
}
