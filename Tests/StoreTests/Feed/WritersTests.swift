import Fleet
import Store
import Testing

@Suite("Many writers and one reader", .postgresServer)
struct WritersTests {
    static let writers = 64
    static let writesEach = 12

    @Test("the reader sees every change once and in order per document", arguments: StoreImplementation.all)
    func writers(_ implementation: StoreImplementation) async throws {
        let seed: UInt64 = 20_261_121
        try await Scene.run(implementation) { scene in
            let start = try await scene.feedPosition()
            let versions = try await withThrowingTaskGroup(of: [String].self) { group in
                for writer in 0..<Self.writers {
                    group.addTask { try await Self.write(scene, writer: writer, seed: seed) }
                }
                let entries = try await Self.read(
                    scene, from: start, count: Self.writers * Self.writesEach)
                var versions: [String] = []
                for try await written in group { versions += written }
                Self.check(entries, versions: versions, seed: seed)
                return versions
            }
            #expect(versions.count == Self.writers * Self.writesEach)
        }
    }

    /// One writer's versions: it makes a document, changes it at random and may make others.
    private static func write(_ scene: Scene, writer: Int, seed: UInt64) async throws -> [String] {
        var random = SeededGenerator(seed: seed &+ UInt64(writer))
        var versions = [try await scene.createVM("w\(writer)-0").metadata.resourceVersion]
        var documents = 1
        while versions.count < writesEach {
            if Int.random(in: 0..<3, using: &random) == 0 {
                let made = try await scene.createVM("w\(writer)-\(documents)")
                versions.append(made.metadata.resourceVersion)
                documents += 1
            } else {
                let target = "w\(writer)-\(Int.random(in: 0..<documents, using: &random))"
                let mark = "\(versions.count)"
                let changed = try await scene.update(.vm, target, project: "team") {
                    $0.metadata.annotations = ["n": mark]
                }
                versions.append(changed.metadata.resourceVersion)
            }
            await Task.yield()
        }
        return versions
    }

    private static func read(_ scene: Scene, from start: FeedCursor, count: Int) async throws -> [FeedEntry] {
        var (entries, cursor): ([FeedEntry], FeedCursor) = ([], start)
        while entries.count < count {
            try Task.checkCancellation()
            let page = try await scene.store.feed(after: cursor, limit: 17)
            entries += page.entries
            cursor = page.next
            if page.entries.isEmpty { await Task.yield() }
        }
        let rest = try await scene.feed(after: cursor, limit: 17)
        return entries + rest.entries
    }

    private static func check(_ entries: [FeedEntry], versions: [String], seed: UInt64) {
        #expect(entries.map(\.cursor.text).sorted() == versions.sorted(), "seed \(seed)")
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.cursor < $1.cursor }, "seed \(seed)")
        let byDocument = Dictionary(grouping: entries, by: \.uid)
        let inOrder = byDocument.values.allSatisfy { history in
            history.first?.change == .created && history.dropFirst().allSatisfy { $0.change == .updated }
        }
        #expect(inOrder, "seed \(seed)")
    }
}
