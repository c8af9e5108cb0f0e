public import AgentProtocol
public import Fleet

extension MemoryStore {
    public func takeProgress(_ parts: [PartProgress], session: ID<AgentSession>) async throws {
        write { $0.takeProgress(parts, session: session) }
    }

    public func progress(of allocations: [ID<Allocation>]) async throws -> [ID<Allocation>: TrainingProgress]
    {
        read { state in
            allocations.reduce(into: [:]) { $0[$1] = state.progress[$1] }
        }
    }

    public func keep(_ memory: TrainingMemory, lease: CellLease) async throws {
        try write { try $0.keep(memory, lease: lease) }
    }

    public func trainingMemory(cell: String) async throws -> TrainingMemory? {
        read { state in state.uid(ofCell: cell).flatMap { state.trainingMemories[$0] } }
    }
}

extension MemoryState {
    mutating func takeProgress(_ parts: [PartProgress], session: ID<AgentSession>) {
        for part in parts {
            guard let host = allocations[part.allocation]?.host, hosts[host]?.record.session == session
            else { continue }
            let known = progress[part.allocation]
            progress[part.allocation] = TrainingProgress(
                step: part.step, checkpointStep: max(part.checkpointStep, known?.checkpointStep ?? 0),
                iterationMilliseconds: part.iterationMilliseconds ?? known?.iterationMilliseconds, at: now)
        }
    }

    mutating func keep(_ memory: TrainingMemory, lease: CellLease) throws {
        try checkLease(lease)
        guard let uid = uid(ofCell: lease.cell) else { return }
        trainingMemories[uid] = memory
    }

    func uid(ofCell name: String) -> ID<Document>? {
        documents[DocumentName(.cell, name)]?.metadata.uid
    }
}
