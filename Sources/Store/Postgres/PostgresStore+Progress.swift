public import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func takeProgress(_ parts: [PartProgress], session: ID<AgentSession>) async throws {
        guard !parts.isEmpty else { return }
        let text = String(decoding: try JSONEncoder().encode(parts), as: UTF8.self)
        // Readers of the feed see nothing of it.
        _ = try await read(Self.takeProgressStatement, [session.uuid, JSONText(text)])
    }

    public func progress(of allocations: [ID<Allocation>]) async throws -> [ID<Allocation>: TrainingProgress]
    {
        guard !allocations.isEmpty else { return [:] }
        let rows = try await read(Self.progressStatement, [allocations.map(\.uuid)])
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (
                    try row.id("allocation"),
                    TrainingProgress(
                        step: try row.decode("step"), checkpointStep: try row.decode("checkpoint_step"),
                        iterationMilliseconds: try row.decode("iteration_ms", as: Double?.self),
                        at: try row.timestamp("at"))
                )
            })
    }

    public func keep(_ memory: TrainingMemory, lease: CellLease) async throws {
        _ = try await write(
            Self.keepMemoryStatement, [lease.cell, lease.token, JSONText(try DocumentJSON.encode(memory))])
    }

    public func trainingMemory(cell: String) async throws -> TrainingMemory? {
        guard let row = try await read(Self.memoryStatement, [cell]).first else { return nil }
        return try DocumentJSON.decode(TrainingMemory.self, from: try row.decode("content", as: String.self))
    }

    private static let keepMemoryStatement = Statement(
        name: "training_memory_keep", sql: "SELECT training_memory_keep_1($1, $2, $3::jsonb)")
    private static let memoryStatement = Statement(
        name: "training_memory",
        sql: """
            SELECT content::text AS content FROM training_memory m JOIN document d ON d.uid = m.cell
            WHERE d.kind = 'Cell' AND d.project = '' AND d.name = $1
            """)
    private static let takeProgressStatement = Statement(
        name: "progress_take", sql: "SELECT progress_take_1($1, $2::jsonb)")
    private static let progressStatement = Statement(
        name: "progress", sql: "SELECT * FROM part_progress WHERE allocation = ANY ($1)")
}
