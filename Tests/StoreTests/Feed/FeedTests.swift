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
