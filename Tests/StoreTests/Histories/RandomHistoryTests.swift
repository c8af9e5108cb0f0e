import Fleet
import Store
import Testing

@Suite("Random histories", .postgresServer)
struct RandomHistoryTests {
    static let seeds: [UInt64] = [1, 2, 3, 20_261_121]
    static let steps = 300

    @Test(
        "a store answers and holds what the store in memory does", arguments: StoreImplementation.all, seeds)
    func agreement(_ implementation: StoreImplementation, seed: UInt64) async throws {
        try await implementation.with { try await compare(MemoryHarness(), $0, seed: seed) }
    }

    private func compare(
        _ reference: MemoryHarness, _ candidate: any StoreHarness, seed: UInt64
    ) async throws {
        var history = History(seed: seed)
        var dumps = (CanonicalDump(), CanonicalDump())
        var kinds: [String: Int] = [:]
        var refusals: Set<String> = []
        for step in 0..<Self.steps {
            let operation = try await history.next(seeing: reference.store)
            let place = "seed \(seed), step \(step): \(operation.title)"
            let expected = await operation.outcome(on: reference)
            let found = await operation.outcome(on: candidate)
            try #require(found == expected, "\(place)")
            let held = (
                try await dumps.0.lines(of: reference), try await dumps.1.lines(of: candidate)
            )
            let differences = held.1.difference(from: held.0).map { "\($0)" }
            try #require(differences == [], "\(place)")
            try #require(try await LedgerSums.differences(in: candidate.store) == [], "\(place)")
            let verb = operation.title.split(separator: " ").first.map(String.init) ?? ""
            if !expected.hasPrefix("throws") { kinds[verb, default: 0] += 1 }
            if verb == "commit" { refusals.insert(expected) }
        }
        // A history in which some call never succeeds compares less than it seems to.
        let verbs = [
            "create", "update", "delete", "commit", "report", "hello", "judgeHosts", "writeStatuses",
            "constrain", "decide", "attach",
        ]
        #expect(refusals.count > 5, "seed \(seed): commits were refused alike, \(refusals.sorted())")
        for verb in verbs { #expect(kinds[verb, default: 0] > 0, "seed \(seed): no \(verb) succeeded") }
    }
}
