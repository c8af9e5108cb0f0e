import Fleet
import Store
import Testing

/// One after another: a position waits for every open transaction of the server, so two tests that each hold one
/// would wait for each other.
@Suite("The change feed beside open transactions", .serialized, .postgresServer)
struct OpenTransactionTests {
    @Test("an older transaction that ends later hides what is younger", arguments: StoreImplementation.all)
    func inversion(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let start = try await scene.feedPosition()
            let older = try await scene.harness.holdTransaction()
            let young = try await scene.createVM("young")
            let hidden = try await scene.feed(after: start, limit: 10)
            #expect(hidden.entries.isEmpty)
            #expect(hidden.isHeldBack)
            let between = try await scene.feedPosition()
            let page = try await scene.list(ListQuery(kind: .vm))
            #expect(page.documents.map(\.metadata.name) == ["young"])
            let late = scene.draft(.vm, "late", project: "team", spec: "{}")
            let old = try #require(try await older.finish(creating: [late], context: Scene.user).first)
            let shown = try await scene.feed(after: start, limit: 10)
            #expect(!shown.isHeldBack)
            let entries = shown.entries
            #expect(entries.map(\.name) == ["late", "young"])
            try #require(entries.count == 2)
            #expect(entries[0].cursor < entries[1].cursor)
            #expect(entries[0].cursor.sequence > entries[1].cursor.sequence)
            // Whoever took a position while it was open, or saw the younger write, still gets the older one.
            for position in [between, page.position] {
                let later = try await scene.feed(after: position, limit: 10).entries
                #expect(later.map(\.name).contains("late"))
            }
            for version in [young, old].map(\.metadata.resourceVersion) {
                let position = try await scene.store.feedPosition(resourceVersion: version)
                let seen = try await scene.feed(after: position, limit: 10).entries
                #expect(seen.map(\.name).contains("late"))
            }
        }
    }

    @Test("what an open transaction hides is counted as delay", arguments: StoreImplementation.all)
    func delay(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.createVM("seen")
            try await scene.advance(60)
            #expect(try await scene.feedDelay() == .zero)
            let older = try await scene.harness.holdTransaction()
            try await scene.advance(5)
            #expect(try await scene.feedDelay() == .zero)
            try await scene.createVM("hidden")
            try await scene.advance(30)
            try await scene.createVM("hidden-too")
            #expect(try await scene.feedDelay() == .seconds(30))
            let late = scene.draft(.vm, "late", project: "team", spec: "{}")
            _ = try await older.finish(creating: [late], context: Scene.user)
            #expect(try await scene.feedDelay() == .zero)
        }
    }
}
