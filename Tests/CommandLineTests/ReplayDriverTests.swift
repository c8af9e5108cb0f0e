import APITypes
import Client
import Fleet
import Replay
import TestServer
import Testing

@testable import CommandLine

struct ReplayDriverTests {
    private func trace(_ count: Int) -> VMTrace {
        VMTrace(
            vms: (0..<count).map { row in
                let arrival = Int64(row / 4) * 1_000_000
                // Every fifth departs when it arrives.
                let departure = row.isMultiple(of: 5) ? arrival : arrival + Int64(row % 7 + 1) * 1_000_000
                return TraceVM(arrival: arrival, departure: departure, milliCPU: 1000, memoryMiB: 1024)
            })
    }

    private func run(
        _ plane: FakeControlPlane, _ trace: VMTrace, run: String = "r1", rate: Double? = nil
    ) async throws -> ReplaySummary {
        let time = VirtualTime()
        let seams = ClientSeams(sleep: { try await time.sleep($0) }, random: { 0.5 }, ids: CountingIDSource())
        return try await TestServer.with(plane.handler) { server in
            let configuration = ClientConfiguration(
                servers: [try ServerAddress("http://127.0.0.1:1"), try ServerAddress(server.address)],
                token: "secret", retry: .persistent)
            return try await RESTClient.with(configuration, seams: seams) { client in
                let driver = ReplayDriver(
                    client, options: .init(run: run, project: "shop", rate: rate, concurrency: 8),
                    seams: seams,
                    uptime: { time.uptime })
                return try await driver.run(ReplaySchedule(trace, prefix: "replay-\(run)")) { _ in }
            }
        }
    }

    @Test func createsAndDeletesEveryVM() async throws {
        let plane = FakeControlPlane()
        let summary = try await run(plane, trace(60))
        #expect(summary.created == 60 && summary.deleted == 60 && summary.errors == 0)
        #expect(!summary.interrupted && summary.skipped == 0)
        #expect(plane.documentCount == 0)
        #expect(Set(plane.log("POST")).count == 1 && plane.log("POST").count == 60)
    }

    @Test func answersThatAreLostChangeNothing() async throws {
        let plane = FakeControlPlane()
        let problem = Problem(.unavailable, detail: "failing over")
        for index in 0..<40 {
            plane.misbehave([index.isMultiple(of: 3) ? .problem(problem) : .dropAfterwards])
        }
        let summary = try await run(plane, trace(60))
        #expect(summary.created == 60 && summary.deleted == 60 && summary.errors == 0, "\(summary)")
        #expect(summary.retried >= 40)
        #expect(plane.documentCount == 0)
    }

    @Test func aRunThatBeganBeforeGoesOn() async throws {
        let plane = FakeControlPlane()
        let vms = trace(12)
        let first = try await run(plane, vms)
        let again = try await run(plane, vms)
        #expect(first.created == 12 && again.created == 12 && again.errors == 0)
        #expect(plane.documentCount == 0)
    }

    @Test func anotherRunsVMsAreNotTakenForOwn() async throws {
        let plane = FakeControlPlane()
        let other = WireDocument(
            kind: .vm,
            metadata: Metadata(
                name: "replay-r1-0", uid: ID(CountingIDSource().next()), project: "shop",
                annotations: [ReplayDriver.runAnnotation: "r0"], createdAt: Timestamp(microseconds: 0)),
            spec: .object([:]), status: nil)
        plane.put(other, at: "projects/shop/vms/replay-r1-0")
        let summary = try await run(plane, trace(4))
        #expect(summary.created == 3 && summary.errors == 1 && summary.skipped == 1)
        #expect(summary.samples == ["replay-r1-0: \"replay-r1-0\" exists already"])
        #expect(plane.document("projects/shop/vms/replay-r1-0") != nil)
    }

    @Test func theFleetClockPacesIt() {
        let start = Timestamp(seconds: 1000)
        func cluster(_ seconds: Double, rate: Double) -> ClusterSummary {
            ClusterSummary(
                epoch: 1, schemaVersion: 1, fleetTime: Timestamp(seconds: 1000 + seconds), fleetRate: rate,
                cells: [], controllers: [])
        }
        var pace = FleetPace(cluster(0, rate: 600), uptime: .seconds(5))
        #expect(start < cluster(1, rate: 1).fleetTime)
        #expect(pace.elapsed(at: .seconds(6)) == .seconds(600))
        #expect(pace.wait(until: .seconds(1200), from: .seconds(6)) == .seconds(1))
        #expect(pace.wait(until: .seconds(60), from: .seconds(6)) == .zero)
        pace.follow(cluster(900, rate: 300), uptime: .seconds(7))
        #expect(pace.elapsed(at: .seconds(7)) == .seconds(1200), "it never goes back")
        #expect(pace.elapsed(at: .seconds(8)) == .seconds(1500))
        var own = FleetPace(rate: 10, uptime: .zero)
        own.follow(cluster(900, rate: 300), uptime: .seconds(1))
        #expect(own.elapsed(at: .seconds(2)) == .seconds(20))
    }

    @Test func theProgressLineSaysWhereItIs() {
        let progress = ReplayProgress(
            total: 40, created: 10, deleted: 2, errors: 1, running: 8, pending: 3, remainingSeconds: 61)
        #expect(progress.line == "created 10/40, deleted 2, running 8, pending 3, errors 1, left 61s")
        #expect(
            ProgressLine.line("x", fraction: 0.5) == "[############............] 50% x")
    }
}
