public import AgentProtocol
public import Fleet

/// How far parts of training jobs are.
public protocol ProgressStore: Sendable {
    /// Takes what a session tells of parts on its hosts; of others nothing is taken. What is known of a
    /// checkpoint is never taken back.
    func takeProgress(_ parts: [PartProgress], session: ID<AgentSession>) async throws

    /// Last words of parts, also of those that ended; nothing of those that told nothing.
    func progress(of allocations: [ID<Allocation>]) async throws -> [ID<Allocation>: TrainingProgress]

    /// Keeps what the training engine of the lease's cell remembers; nothing for a cell that is not there.
    func keep(_ memory: TrainingMemory, lease: CellLease) async throws

    /// Nil before the first was kept, and for a cell that is not there.
    func trainingMemory(cell: String) async throws -> TrainingMemory?
}
