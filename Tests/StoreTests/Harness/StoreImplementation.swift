import Testing

/// A store that the suite runs on. Another one joins with its harness and a line in `all`.
struct StoreImplementation: Sendable, CustomTestStringConvertible {
    var name: String
    /// Runs a body on a fresh store, which is given up afterwards.
    var with: @Sendable (_ body: (any StoreHarness) async throws -> Void) async throws -> Void

    var testDescription: String { name }

    static let memory = StoreImplementation(name: "memory") { body in try await body(MemoryHarness()) }
    static let postgres = StoreImplementation(name: "postgres") { body in
        try await PostgresHarness.with { try await body($0) }
    }

    static let all = [memory, postgres]
}
