import Fleet
import Foundation
import Testing

@testable import Control

/// Restarts are what crash loops are slowed down by.
struct RestartTests {
    private static let now = Timestamp(seconds: 1000)
    private let metadata = Metadata(name: "web", uid: ID(UUID()), project: "shop", createdAt: now)

    private func allocation(_ arrival: MigrationArrival? = nil) -> Allocation {
        Allocation(
            id: ID(UUID()),
            workload: WorkloadReference(
                kind: .vm, uid: metadata.uid, project: "shop", name: "web", part: "vm"),
            cell: "east", host: ID(UUID()), class: .standard,
            resources: Resources(milliCPU: 1000, memoryMiB: 1024), state: .active, createdAt: Self.now,
            arrival: arrival)
    }

    private func next(_ status: VMStatus, _ allocation: Allocation?) -> VMStatus {
        .derived(
            from: status, metadata: metadata, allocation: allocation, host: ("h1", .ready), blocked: nil,
            now: Self.now)
    }

    @Test func aPartThatEndedCountsThoughItHasANewPlaceAtOnce() {
        let running = next(VMStatus(), allocation())
        #expect(running.state == .running && running.restarts == 0)
        let again = next(running, allocation())
        #expect(again.state == .running && again.restarts == 1)
        #expect(next(again, allocation()).restarts == 2)
    }

    @Test func itCountsOnceWhenItWaitsInBetween() {
        let running = next(VMStatus(), allocation())
        let waiting = next(running, nil)
        #expect(waiting.state == .pending && waiting.restarts == 1)
        #expect(next(waiting, allocation()).restarts == 1)
    }

    @Test func migrationsAndStopsAreNoRestarts() {
        let running = next(VMStatus(), allocation())
        let arrival = MigrationArrival(migration: ID(UUID()), standsBy: false)
        #expect(next(running, allocation(arrival)).restarts == 0)
        var stopping = running
        stopping.state = .stopping
        #expect(next(stopping, allocation()).restarts == 0)
    }
}
