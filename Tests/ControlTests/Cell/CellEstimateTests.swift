import Fleet
import Store
import Testing

@testable import Control

/// When a VM that waits may get room, by the hints of those that run.
@Suite struct CellEstimateTests {
    private static let now = Timestamp(seconds: 1_700_000_000)

    private struct Cell {
        var model = CellModel(name: "a")
        let ids = CountedIDs()
        let host: ID<Document>

        /// One host of 8 vCPUs.
        init() {
            host = ids.id()
            model.put(pool: "p", PoolSpec(cell: "a", admits: [.vm]))
            let room = HostRoom(
                total: Resources(milliCPU: 8000, memoryMiB: 8192), reserved: .zero, cpuRatioPerMille: 1000)
            model.put(
                host: HostRecord(
                    id: host, name: "h1", cell: "a", pool: "p", labels: [:], domain: .init(),
                    substrate: "simulated", generation: 1, assignment: 0, cordoned: false, draining: false,
                    contact: .ready, session: nil, room: room, devices: [], takenDevices: []))
        }

        func vm(_ name: String, milliCPU: Int, hint: Int? = nil) throws -> VMRecord {
            let spec = VMSpec(
                cell: "a", resources: Resources(milliCPU: milliCPU, memoryMiB: 64), lifetimeHintSeconds: hint)
            return try VMRecord(
                Resource(
                    kind: .vm,
                    metadata: Metadata(
                        name: name, uid: ids.id(), project: "team", createdAt: CellEstimateTests.now),
                    spec: try DocumentJSON.encode(spec), status: "{}"))
        }

        mutating func run(_ vm: VMRecord) throws {
            model.put(vm: vm)
            model.put(
                allocation: Allocation(
                    id: ids.id(), workload: vm.reference, cell: "a", host: host, class: .standard,
                    resources: try #require(vm.spec.resources), state: .active,
                    createdAt: CellEstimateTests.now))
        }

        /// After `elapsed` seconds on a fleet clock that runs ten times as fast as the ledger's.
        func estimate(_ vm: VMRecord, elapsed: Int = 0) -> PlacementEstimate? {
            let start = CellEstimateTests.now
            return model.estimate(for: vm, now: start.advanced(by: .seconds(elapsed))) { time in
                start.advanced(by: time.since(start) * 10)
            }
        }
    }

    @Test func theEarliestEndThatIsEnoughIsNamed() throws {
        var cell = Cell()
        try cell.run(cell.vm("short", milliCPU: 2000, hint: 60))
        try cell.run(cell.vm("long", milliCPU: 4000, hint: 600))
        try cell.run(cell.vm("endless", milliCPU: 2000))
        let small = try cell.vm("small", milliCPU: 2000)
        #expect(cell.estimate(small)?.at == Self.now.advanced(by: .seconds(60)))
        #expect(cell.estimate(small)?.host == "h1")
        let large = try cell.vm("large", milliCPU: 6000)
        #expect(cell.estimate(large)?.at == Self.now.advanced(by: .seconds(600)))
        // What has outlived its hint tells nothing any more.
        #expect(cell.estimate(small, elapsed: 60)?.at == Self.now.advanced(by: .seconds(600)))
        #expect(cell.estimate(large, elapsed: 60)?.at == nil)
    }

    @Test func whereNoHintMakesRoomThatIsSaid() throws {
        var cell = Cell()
        try cell.run(cell.vm("endless", milliCPU: 8000))
        let small = try cell.vm("small", milliCPU: 1000)
        let none = try #require(cell.estimate(small))
        #expect(none.at == nil && none.host == nil && none.message.contains("no VM of the cell"))
        let huge = try cell.vm("huge", milliCPU: 9000)
        try cell.run(cell.vm("hinted", milliCPU: 0, hint: 60))
        let never = try #require(cell.estimate(huge))
        #expect(never.at == nil && never.message.contains("no host gets room"))
    }
}
