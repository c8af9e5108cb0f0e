import AgentProtocol
import Fleet
import Foundation
import Logging
import Store
import Telemetry
import Testing

@testable import Control

/// What a pipeline says of the room of its pools.
@Suite struct PoolRoomTests {
    /// Two hosts of 8 vCPU and 16 GiB, one of them without memory left, and a pool that takes no VMs.
    private static func planted() -> CellModel {
        var model = CellModel(name: "a")
        model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm]))
        model.put(pool: "t", PoolSpec(cell: "a", admits: [.training]))
        let ids = CountedIDs()
        for (name, taken) in [("h1", 16), ("h2", 0)] {
            let host = HostRecord(
                id: ids.id(), name: name, cell: "a", pool: "p", labels: [:],
                domain: FailureDomain(zone: "z", rack: "r"), substrate: "simulated", generation: 1,
                assignment: 0, cordoned: false, draining: false, contact: .ready, session: nil,
                room: HostRoom(total: Resources(milliCPU: 8000, memoryMiB: 16 * 1024)), devices: [],
                takenDevices: [])
            model.put(host: host)
            guard taken > 0 else { continue }
            let workload = WorkloadReference(
                kind: .vm, uid: ids.id(), project: "team", name: "fat", part: "vm")
            model.put(
                allocation: Allocation(
                    id: ids.id(), workload: workload, cell: "a", host: host.id, class: .standard,
                    resources: Resources(milliCPU: 2000, memoryMiB: taken * 1024), onPartition: .keep,
                    createdAt: Timestamp(seconds: 1000)))
        }
        return model
    }

    @Test func aPlantedPoolIsMeasured() throws {
        let measures = Self.planted().poolMeasures(now: Timestamp(seconds: 1001))
        let measure = try #require(measures.first)
        #expect(measures.count == 1 && measure.pool == "p")
        // One VM more like the one there fits on the empty host, and leaves six vCPUs of either.
        let room = measure.measured(steps: 1000)
        #expect(room.hosts == 2 && room.emptyHosts == 1)
        #expect(room.strandedCpuPerMille == 750 && room.strandedMemoryPerMille == 0)
        #expect(
            room.obtainable == [
                .init(milliCPU: 8000, memoryMiB: 16_384, vms: 1),
                .init(milliCPU: 4000, memoryMiB: 8192, vms: 2),
                .init(milliCPU: 2000, memoryMiB: 4096, vms: 4),
            ])
    }

    /// A day later no VM has come; those that are there make the mix.
    @Test func withoutArrivalsTheMixIsThatOfTheVMsThere() throws {
        let room = try #require(Self.planted().poolMeasures(now: Timestamp(seconds: 200_000)).first)
        #expect(room.measured(steps: 1000).strandedCpuPerMille == 750)
        var empty = CellModel(name: "a")
        empty.put(pool: "p", PoolSpec(cell: "a", admits: [.vm]))
        let none = try #require(empty.poolMeasures(now: Timestamp(seconds: 0)).first).measured(steps: 1000)
        #expect(none == PoolRoom(hosts: 0, emptyHosts: 0))
    }

    @Test func aPipelineWritesItIntoTheStatusAndTheMetrics() async throws {
        let clock = FixtureClock()
        let ids = CountedIDs()
        let time = Timekeeper(
            now: { clock.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(5))) })
        let store = MemoryStore(
            now: { clock.now }, pause: { try await Task.sleep(for: min($0, .milliseconds(5))) })
        let context = WriteContext(actor: "user/ann", verb: "create")
        for (kind, name, spec) in [
            (Kind.cell, "a", "{}"), (.pool, "p", #"{"admits":["vm"],"cell":"a"}"#),
        ] {
            _ = try await store.create(
                [DocumentDraft(uid: ids.id(), kind: kind, name: name, spec: spec)], context: context)
        }
        let lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c", duration: .seconds(3600)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let hub = FeedHub(store: store, time: time, logger: logger)
        let metrics = MetricRegistry<DaemonMetric>()
        let pipeline = CellPipeline(
            lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(), logger: logger,
            metrics: metrics)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hub.run() }
            group.addTask { try await pipeline.run() }
            while true {
                let status = try #require(try await store.document(.pool, project: nil, name: "p")).status
                if try DocumentJSON.decode(PoolStatus.self, from: status).room != nil { break }
                clock.advance(1)
                try await Task.sleep(for: .milliseconds(2))
            }
            group.cancelAll()
            while (try? await group.next()) != nil {}  // why: cancelled is how they end
        }
        let status = try #require(try await store.document(.pool, project: nil, name: "p")).status
        let room = try DocumentJSON.decode(PoolStatus.self, from: status).room
        #expect(room == PoolRoom(hosts: 0, emptyHosts: 0))
        #expect(!metrics.text.contains("basalt_pool_obtainable_vms{"))
    }
}
