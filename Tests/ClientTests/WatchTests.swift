import APITypes
import Client
import Fleet
import Synchronization
import TestServer
import Testing

struct WatchTests {
    /// `listed a,b` or `ADDED a`.
    private func text(_ step: WatchStep?) -> String {
        switch step {
        case .listed(let documents): "listed " + documents.map(\.metadata.name).joined(separator: ",")
        case .changed(let event): "\(event.type.rawValue) \(event.object?.metadata.name ?? "-")"
        case nil: "ended"
        }
    }

    @Test func beginsWithWhatIsThereAndGoesOnWithChanges() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            _ = try await client.create(Fixture.draft("a"), in: Fixture.pools)
            var steps = client.watch(Fixture.pools).makeAsyncIterator()
            #expect(text(try await steps.next()) == "listed a")
            _ = try await client.create(Fixture.draft("b"), in: Fixture.pools)
            #expect(text(try await steps.next()) == "ADDED b")
            fixture.plane.remove("pools/a")
            #expect(text(try await steps.next()) == "DELETED a")
        }
    }

    @Test func resumesABrokenStreamWhereItWas() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            var steps = client.watch(Fixture.pools).makeAsyncIterator()
            _ = try await steps.next()
            _ = try await client.create(Fixture.draft("a"), in: Fixture.pools)
            #expect(text(try await steps.next()) == "ADDED a")
            fixture.plane.endWatches()
            _ = try await client.create(Fixture.draft("b"), in: Fixture.pools)
            #expect(text(try await steps.next()) == "ADDED b")
        }
        let since = fixture.plane.requests.compactMap { $0.query["since"] }
        #expect(since == ["1", "2"])
    }

    @Test func listsAgainWhenTheVersionIsTooOld() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            _ = try await client.create(Fixture.draft("a"), in: Fixture.pools)
            var steps = client.watch(Fixture.pools).makeAsyncIterator()
            _ = try await steps.next()
            _ = try await client.create(Fixture.draft("b"), in: Fixture.pools)
            #expect(text(try await steps.next()) == "ADDED b")
            fixture.plane.remove("pools/a")
            #expect(text(try await steps.next()) == "DELETED a")
            fixture.plane.forgetChanges()
            #expect(text(try await steps.next()) == "listed b")
        }
    }

    @Test func aServerThatOnlyHangsUpIsNotAskedInALoop() async throws {
        let fixture = Fixture()
        let plane = fixture.plane
        let watches = Mutex(0)
        let handler: TestServer.Handler = { request in
            guard request.query["watch"] != nil else { return plane.handler(request) }
            let count = watches.withLock {
                $0 += 1
                return $0
            }
            if count < 5 {
                let barren = TestStream()
                barren.finish()
                return .stream(barren)
            }
            plane.put(Self.pool, at: "pools/late")
            return plane.handler(request)
        }
        try await TestServer.with(handler) { server in
            let configuration = ClientConfiguration(
                servers: [try ServerAddress(server.address)], token: "secret")
            try await RESTClient.with(configuration, seams: fixture.seams) { client in
                var steps = client.watch(Fixture.pools).makeAsyncIterator()
                _ = try await steps.next()
                #expect(text(try await steps.next()) == "ADDED late")
            }
        }
        #expect(fixture.time.sleeps == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
    }

    private static let pool = WireDocument(
        kind: .pool,
        metadata: Metadata(
            name: "late", uid: ID(CountingIDSource().next()), createdAt: Timestamp(microseconds: 0)),
        spec: .object([:]), status: nil)

    @Test func longPollAnswersABatch() async throws {
        let event = WatchEvent(type: .bookmark, resourceVersion: "9", object: nil)
        let fixture = Fixture()
        let handler: TestServer.Handler = { request in
            let isRight = request.query == ["wait": "20", "since": "7"]
            return FakeControlPlane.json(WatchBatch(events: isRight ? [event] : [], resourceVersion: "9"))
        }
        try await TestServer.with(handler) { server in
            let configuration = ClientConfiguration(servers: [try ServerAddress(server.address)])
            try await RESTClient.with(configuration, seams: fixture.seams) { client in
                let batch = try await client.changes(in: Fixture.pools, after: "7", wait: .seconds(20))
                #expect(batch.events.map(\.type) == [.bookmark])
                #expect(batch.resourceVersion == "9")
            }
        }
    }
}
