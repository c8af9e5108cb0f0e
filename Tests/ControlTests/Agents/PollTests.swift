import AgentProtocol
import Fleet
import Logging
import Store
import Testing

@testable import Control

@Suite("What agents are told")
struct PollTests {
    /// A fleet and the controllers' side of its session.
    private struct Polled {
        var fleet: FleetFixture
        let sessions: AgentSessions

        init() async throws {
            fleet = try await FleetFixture(seed: 1)
            let clock = fleet.clock
            let time = Timekeeper(now: { clock.now }, sleep: { _ in })
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let hub = FeedHub(store: fleet.store, time: time, logger: logger)
            sessions = AgentSessions(store: fleet.store, hub: hub, ids: fleet.ids, terms: .standard)
        }

        func poll(_ cursor: String?) async throws -> PollResponse {
            let session = try #require(try await fleet.store.session(credentialHash: "c"))
            return try await sessions.poll(
                PollRequest(incarnation: fleet.incarnation, cursor: cursor, waitSeconds: 0), session: session)
        }
    }

    @Test("the first answer tells all, the next ones what is new")
    func news() async throws {
        var polled = try await Polled()
        let all = try await polled.poll(nil)
        #expect(all.assignments.map(\.host).sorted() == FleetFixture.hosts)
        let placed = try await polled.fleet.place("web", on: "h1")
        let told = try await polled.poll(all.cursor)
        #expect(told.assignments.map(\.host) == ["h1"])
        #expect(told.assignments.flatMap(\.parts).map(\.allocation) == [placed.id])
        // That it runs is what the agent itself said.
        try await polled.fleet.run(placed)
        let quiet = try await polled.poll(told.cursor)
        #expect(quiet.assignments.isEmpty)
        #expect(quiet.cursor != told.cursor)
        try await polled.fleet.stop(placed)
        let gone = try await polled.poll(quiet.cursor)
        #expect(gone.assignments.map(\.host) == ["h1"])
        #expect(gone.assignments.flatMap(\.parts).isEmpty)
    }

    @Test("an answer that got lost is given again")
    func lostAnswer() async throws {
        var polled = try await Polled()
        let all = try await polled.poll(nil)
        let placed = try await polled.fleet.place("web", on: "h1")
        let lost = try await polled.poll(all.cursor)
        let again = try await polled.poll(all.cursor)
        #expect(again == lost)
        try await polled.fleet.run(placed)
        let third = try await polled.poll(all.cursor)
        #expect(third.assignments == lost.assignments)
    }

    @Test("a session that says hello anew is told everything again")
    func newIncarnation() async throws {
        var polled = try await Polled()
        _ = try await polled.fleet.place("web", on: "h1")
        let before = try await polled.poll(nil)
        _ = try await polled.poll(before.cursor)
        try await polled.fleet.store.releaseLease(polled.fleet.lease)
        try await polled.fleet.begin()
        let after = try await polled.poll(nil)
        #expect(after.assignments == before.assignments)
    }
}
