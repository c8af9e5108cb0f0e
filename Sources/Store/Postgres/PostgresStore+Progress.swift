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

    private static let takeProgressStatement = Statement(
        name: "progress_take", sql: "SELECT progress_take_1($1, $2::jsonb)")
    private static let progressStatement = Statement(
        name: "progress", sql: "SELECT * FROM part_progress WHERE allocation = ANY ($1)")
}
