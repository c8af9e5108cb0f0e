public import Fleet

/// How far a part of a training job is, as its process says.
public struct PartProgress: Sendable, Hashable, Codable {
    public var allocation: ID<Allocation>
    /// Steps that are done.
    public var step: Int
    /// Steps whose result is on disk.
    public var checkpointStep: Int
    /// Mean of the last steps.
    public var iterationMilliseconds: Double?

    public init(
        allocation: ID<Allocation>, step: Int, checkpointStep: Int, iterationMilliseconds: Double? = nil
    ) {
        self.allocation = allocation
        self.step = step
        self.checkpointStep = checkpointStep
        self.iterationMilliseconds = iterationMilliseconds
    }

    /// Above any number of steps that a job may have: what a process says beyond it is no count.
    public static let stepLimit = 1_000_000_000_000
    /// Bytes of one part's words.
    public static let bytes = 4096
}
