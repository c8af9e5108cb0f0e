import Testing

/// A store that the suite runs on. Another one joins with its harness and a line in `all`.
struct StoreImplementation: Sendable, CustomTestStringConvertible {
    var name: String
    var make: @Sendable () async throws -> any StoreHarness

    var testDescription: String { name }

    static let all: [StoreImplementation] = [
        StoreImplementation(name: "memory") { MemoryHarness() }
    ]
}
