import Fleet
import Logging
import Store
import Synchronization
import Testing

@testable import Control

@Suite("Waits for the feed")
struct FeedHubTests {
    /// A hub over a fleet, whose client's timeout passes when the test says so.
    private struct Hub: Sendable {
        static let timeout = Duration.seconds(77)

        let hub: FeedHub
        /// Looks that found something, the first one where the feed ends.
        let looks: AsyncStream<Void>
        private let bell: AsyncStream<Void>.Continuation

        init(_ fleet: FleetFixture) {
            let (looks, looked) = AsyncStream<Void>.makeStream()
            let (timer, bell) = AsyncStream<Void>.makeStream()
            let clock = fleet.clock
            let time = Timekeeper(now: { clock.now }) { duration in
                if duration == FeedHub.gathering { looked.yield() }
                guard duration == Self.timeout else { return }
                for await _ in timer { return }
            }
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            hub = FeedHub(store: fleet.store, time: time, logger: logger)
            (self.looks, self.bell) = (looks, bell)
        }

        func passTimeout() { bell.yield() }

        /// Returns once somebody waits.
        func expectWaiter() async { while hub.waiting == 0 { await Task.yield() } }

        func wait(after cursor: FeedCursor, on host: ID<Document>) async throws -> FeedCursor {
            try await hub.waitForClient(
                hub.beginWait([host]), after: cursor, timeout: Self.timeout, gathering: .zero)
        }
    }

    private func hosts(_ fleet: FleetFixture) async throws -> [String: ID<Document>] {
        let rows = try await fleet.store.hosts(.all)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.id) })
    }

    /// A wait for changes on h1, begun where the feed of a running hub ends, while `body` goes on.
    private func waiting(
        _ body: (inout FleetFixture, Hub, FeedCursor) async throws -> Void
    ) async throws -> (cursor: FeedCursor, passed: FeedCursor?, hub: FeedHub) {
        var fleet = try await FleetFixture(seed: 1)
        let hub = Hub(fleet)
        let host = try #require(try await hosts(fleet)["h1"])
        return try await withThrowingTaskGroup(of: FeedCursor?.self) { group in
            group.addTask {
                await hub.hub.run()
                return nil
            }
            var looks = hub.looks.makeAsyncIterator()
            await looks.next()
            let cursor = try await fleet.store.feedPosition()
            group.addTask { try await hub.wait(after: cursor, on: host) }
            await hub.expectWaiter()
            try await body(&fleet, hub, cursor)
            let passed = try await group.next() ?? nil
            group.cancelAll()
            return (cursor, passed, hub.hub)
        }
    }

    @Test("changes on other hosts do not end a wait, and are not read again after it")
    func otherHosts() async throws {
        let (cursor, passed, hub) = try await waiting { fleet, hub, cursor in
            _ = try await fleet.place("elsewhere", on: "h2")
            while try await !hub.hub.entries(after: cursor).entries.contains(where: { $0.kind == .allocation }
            ) {
                await Task.yield()
            }
            #expect(hub.hub.waiting == 1)
            hub.passTimeout()
        }
        let end = try #require(passed)
        #expect(end > cursor)
        #expect(try await hub.entries(after: end).entries.isEmpty)
    }

    @Test("a change on one's own host ends a wait")
    func ownHost() async throws {
        let (cursor, passed, hub) = try await waiting { fleet, _, _ in
            _ = try await fleet.place("here", on: "h1")
        }
        #expect(passed == cursor)
        #expect(try await !hub.entries(after: cursor).entries.isEmpty)
    }

    @Test("a hub that has not read the feed lets nobody go further in it")
    func unread() async throws {
        let fleet = try await FleetFixture(seed: 1)
        let hub = Hub(fleet)
        let host = try #require(try await hosts(fleet)["h1"])
        let cursor = try await fleet.store.feedPosition()
        async let passed = hub.wait(after: cursor, on: host)
        await hub.expectWaiter()
        hub.passTimeout()
        #expect(try await passed == cursor)
    }
}
