import Fleet
import Store
import Testing

/// One after another: a position waits for every open transaction of the server, so two tests that each hold
/// one would wait for each other.
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

    @Test("events are followed in the order of the feed", arguments: StoreImplementation.all)
    func events(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            func follow(_ cursor: FeedCursor, limit: Int = 10) async throws -> EventPage {
                try await store.followEvents(EventQuery(reason: .created, limit: limit), after: cursor)
            }
            let start = try await scene.feedPosition()
            let older = try await scene.harness.holdTransaction()
            try await scene.createVM("young")
            #expect(try await follow(start) == EventPage(events: [], next: start))
            // A list shows what is committed; who follows from its position misses nothing.
            let position = try await scene.feedPosition()
            #expect(try await store.events(EventQuery(limit: 1)).map(\.name) == ["young"])
            let late = scene.draft(.vm, "late", project: "team", spec: "{}")
            _ = try await older.finish(creating: [late], context: Scene.user)
            try await scene.harness.settle()
            for cursor in [start, position] {
                let page = try await follow(cursor)
                #expect(page.events.map(\.name) == ["late", "young"])
                #expect(page.events.first.map(\.id) ?? 0 > page.events.last.map(\.id) ?? 0)
                let first = try await follow(cursor, limit: 1)
                #expect(first.events.map(\.name) == ["late"])
                #expect(try await follow(first.next).events.map(\.name) == ["young"])
                #expect(try await follow(page.next) == EventPage(events: [], next: page.next))
            }
            var other = start
            other.epoch += 1
            await #expect(throws: StoreError.watchExpired) { try await follow(other) }
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
