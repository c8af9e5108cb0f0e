import AgentProtocol
import Fleet
import Store
import Testing

@testable import Control

@Suite("Loading a snapshot")
struct LoadTests {
    @Test("everything is read, however many pages it takes")
    func pages() async throws {
        var fixture = try await FleetFixture(seed: 1)
        let count = FleetSnapshot.pageSize + 50
        for index in 0..<count { try await fixture.appear("found-\(index)", on: "h1") }
        for index in 0..<count { try await fixture.create(.vm, "idle-\(index)", "{}", project: "team") }
        let snapshot = try await FleetSnapshot.load(from: fixture.store, journals: fixture.journals)
        #expect(snapshot.isStable)
        #expect(snapshot.allocations.count == count && snapshot.workloads.count == count)
        #expect(snapshot.events.count > 2 * count && snapshot.feed.count > 2 * count)
        #expect(check(snapshot) == [])
    }

    @Test("plans are read from the head back, oldest first")
    func plans() async throws {
        let fixture = try await FleetFixture(seed: 1)
        for _ in 0..<3 { try await fixture.commit([]) }
        let snapshot = try await FleetSnapshot.load(from: fixture.store)
        #expect(snapshot.plans.count == 3 && snapshot.plans == snapshot.plans.sorted())
    }

    @Test("a pruned feed and an older epoch leave the rest to be judged")
    func prunedFeed() async throws {
        var fixture = try await FleetFixture(seed: 1)
        for _ in 0..<20 { try await fixture.live() }
        fixture.clock.advance(100)
        try await fixture.store.pruneFeed(olderThan: .seconds(50))
        let pruned = try await FleetSnapshot.load(from: fixture.store, journals: fixture.journals)
        #expect(pruned.feed.isEmpty && pruned.isStable && check(pruned) == [])
        _ = try await fixture.store.raiseEpoch(quarantine: .seconds(600))
        try await fixture.begin()
        for _ in 0..<20 { try await fixture.live() }
        let raised = try await FleetSnapshot.load(from: fixture.store, journals: fixture.journals)
        #expect(!raised.feed.isEmpty && check(raised) == [])
    }

    @Test("a snapshot that calls itself stable is not torn")
    func concurrentWrites() async throws {
        let fixture = try await FleetFixture(seed: 3)
        let store = fixture.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var writer = fixture
                for _ in 0..<150 where !Task.isCancelled { try await writer.live() }
            }
            for _ in 0..<20 {
                let snapshot = try await FleetSnapshot.load(from: store)
                if snapshot.isStable { #expect(check(snapshot) == []) }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
