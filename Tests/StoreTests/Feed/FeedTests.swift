import Fleet
import Store
import Testing

@Suite("The change feed", .postgresServer)
struct FeedTests {
    @Test("every write is one entry, in order", arguments: StoreImplementation.all)
    func entries(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let start = try await scene.feedPosition()
            let created = try await scene.createVM("web")
            let updated = try await scene.update(.vm, "web", project: "team") {
                $0.metadata.labels = ["a": "b"]
            }
            let marked = try await scene.delete(.vm, "web", project: "team").resource
            let page = try await scene.feed(after: start, limit: 10)
            #expect(page.entries.map(\.change) == [.created, .updated, .updated])
            #expect(
                page.entries.map(\.cursor.text)
                    == [created, updated, marked].map(\.metadata.resourceVersion))
            #expect(page.entries.allSatisfy { $0.uid == created.metadata.uid && $0.project == "team" })
            #expect(page.next == page.entries.last?.cursor)
            let end = try await scene.feed(after: page.next, limit: 10)
            #expect(end.entries.isEmpty && end.next == page.next)
        }
    }

    @Test("pages of any size are the same feed", arguments: StoreImplementation.all)
    func paging(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let start = try await scene.feedPosition()
            let drafts = (0..<7).map { scene.draft(.vm, "v\($0)", project: "team", spec: "{}") }
            _ = try await scene.store.create(drafts, context: Scene.user)
            let whole = try await scene.feed(after: start, limit: 100).entries
            #expect(Set(whole.map(\.cursor.transaction)).count == 1 && whole.count == 7)
            var (pieces, cursor): ([FeedEntry], FeedCursor) = ([], start)
            while true {
                let page = try await scene.feed(after: cursor, limit: 2)
                if page.entries.isEmpty { break }
                pieces += page.entries
                cursor = page.next
            }
            #expect(pieces == whole)
        }
    }

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

    @Test("a watch from a version misses nothing after it", arguments: StoreImplementation.all)
    func versions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let first = try await scene.createVM("first")
            try await scene.createVM("second")
            let position = try await scene.store.feedPosition(
                resourceVersion: first.metadata.resourceVersion)
            let names = try await scene.feed(after: position, limit: 10).entries.map(\.name)
            #expect(names.suffix(2) == ["first", "second"] || names == ["second"])
            let listed = try await scene.list(ListQuery(kind: .vm)).position
            #expect(try await scene.store.feedPosition(resourceVersion: listed.text) == listed)
            for version in ["", "x", "1.2", "1.99999.99999"] {
                await #expect(throws: StoreError.watchExpired) {
                    try await scene.store.feedPosition(resourceVersion: version)
                }
            }
        }
    }

    @Test("a cursor older than what is kept has expired", arguments: StoreImplementation.all)
    func pruning(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let start = try await scene.feedPosition()
            let old = try await scene.createVM("old")
            let middle = try await scene.feed(after: start, limit: 10).next
            try await scene.advance(100)
            try await scene.createVM("new")
            try await scene.store.pruneFeed(olderThan: .seconds(50))
            await #expect(throws: StoreError.watchExpired) {
                try await scene.feed(after: start, limit: 10)
            }
            await #expect(throws: StoreError.watchExpired) {
                try await scene.store.feedPosition(resourceVersion: old.metadata.resourceVersion)
            }
            // Everything after this cursor is still there.
            #expect(try await scene.feed(after: middle, limit: 10).entries.map(\.name) == ["new"])
        }
    }

    @Test("raising the epoch expires every cursor", arguments: StoreImplementation.all)
    func epochs(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let vm = try await scene.createVM("web")
            let start = try await scene.feedPosition()
            #expect(try await scene.store.raiseEpoch(quarantine: .seconds(600)) == 2)
            await #expect(throws: StoreError.watchExpired) {
                try await scene.feed(after: start, limit: 10)
            }
            await #expect(throws: StoreError.watchExpired) {
                try await scene.store.feedPosition(resourceVersion: vm.metadata.resourceVersion)
            }
            let state = try await scene.store.clusterState()
            #expect(state.epoch == 2)
            #expect(state.quarantineUntil == Scene.start.advanced(by: .seconds(600)))
            let fresh = try await scene.feedPosition()
            #expect(fresh.epoch == 2)
            let later = try await scene.createVM("later")
            #expect(try await scene.feed(after: fresh, limit: 10).entries.map(\.name) == ["later"])
            #expect(FeedCursor(later.metadata.resourceVersion)?.epoch == 2)
        }
    }

    @Test("a waiter wakes when something is written", arguments: StoreImplementation.all)
    func waiting(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let seen = try await scene.store.waitForChange(after: 0, timeout: .seconds(600))
            async let woken = scene.store.waitForChange(after: seen, timeout: .seconds(600))
            try await scene.createVM("web")
            // Nothing that was written after `seen` is slept through, whichever came first.
            #expect(try await woken > seen)
            #expect(try await scene.store.waitForChange(after: seen, timeout: .seconds(600)) > seen)
        }
    }
}
