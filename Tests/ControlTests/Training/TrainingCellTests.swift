import Fleet
import Store
import Testing

@testable import Control

/// Where training jobs and serving deployments go that name no cell.
@Suite struct TrainingCellTests {
    private static let ids = CountedIDs()

    private static func host(
        _ cell: String, _ pool: String, devices: Int, model: String = "A100", taken: Int = 0
    ) -> HostRecord {
        HostRecord(
            id: ids.id(), name: "h-\(cell)-\(pool)", cell: cell, pool: pool, labels: [:],
            domain: FailureDomain(zone: "z", rack: "r"), substrate: "simulated", generation: 1, assignment: 1,
            cordoned: false, draining: false, contact: .ready, session: nil,
            room: HostRoom(total: Resources(milliCPU: 16_000, memoryMiB: 65_536), reserved: .zero),
            devices: (0..<devices).map {
                Device(uuid: "GPU-\(cell)-\(pool)-\($0)", model: model, memoryMiB: 81_920)
            }, takenDevices: (0..<taken).map { "GPU-\(cell)-\(pool)-\($0)" })
    }

    private static func spec(
        _ devices: Int, _ model: String? = "A100", pool: String? = nil
    ) -> TrainingJobSpec {
        TrainingJobSpec(
            pool: pool,
            profile: [TrainingProfilePoint(placement: [devices], plan: "ga", secondsPerStep: 1)],
            steps: 10, devices: devices, deviceModel: model, run: RunSpec(command: ["train"]))
    }

    private static func wish(
        _ devices: Int, _ model: String? = "A100", pool: String? = nil
    ) -> CellWish {
        let job = spec(devices, model, pool: pool)
        let metadata = Metadata(
            name: "j", uid: ids.id(), project: "team", createdAt: Timestamp(seconds: 0))
        return TrainingJobRecord(metadata: metadata, spec: job).wish
    }

    private static let pools: [String: PoolSpec] = [
        "vms": PoolSpec(cell: "a", admits: [.vm]), "pa": PoolSpec(cell: "a", admits: [.training]),
        "pb": PoolSpec(cell: "b", admits: [.training]), "pc": PoolSpec(cell: "c", admits: [.training]),
    ]

    @Test func theCellWithMostFreeDevicesOfThePoolsThatTrainIsTaken() {
        var choice = PartedCellChoice(
            hosts: [
                Self.host("a", "vms", devices: 64), Self.host("a", "pa", devices: 8, taken: 6),
                Self.host("b", "pb", devices: 4), Self.host("c", "pc", devices: 16, model: "H100"),
            ], pools: Self.pools)
        #expect(choice.choose(Self.wish(2)) == "b")
        // 2 are left in each; `a` has more in all.
        #expect(choice.choose(Self.wish(2)) == "a")
        // A queue forms where the job could ever run.
        #expect(choice.choose(Self.wish(8)) == "a")
        #expect(choice.choose(Self.wish(9)) == nil)
        #expect(choice.choose(Self.wish(1, "H100")) == "c")
        #expect(choice.choose(Self.wish(1, "H200")) == nil)
        #expect(choice.choose(Self.wish(1, pool: "pb")) == "b")
        #expect(choice.choose(Self.wish(1, pool: "vms")) == nil)
    }

    @Test func hostsWithoutDevicesGiveTheirCPUs() {
        var choice = PartedCellChoice(
            hosts: [Self.host("a", "pa", devices: 0), Self.host("b", "pb", devices: 8)], pools: Self.pools)
        #expect(choice.choose(Self.wish(16, nil)) == "a" && choice.choose(Self.wish(17, nil)) == nil)
    }

    @Test func `a deployment goes where most devices are free in a pool that serves`() {
        var pools = Self.pools
        pools["sa"] = PoolSpec(cell: "a", admits: [.serving])
        pools["sb"] = PoolSpec(cell: "b", admits: [.serving])
        var choice = PartedCellChoice(
            hosts: [
                Self.host("a", "pa", devices: 64), Self.host("a", "sa", devices: 8, taken: 6),
                Self.host("b", "sb", devices: 4, model: "L4"),
            ], pools: pools)
        #expect(choice.choose(CellWish(use: .serving)) == "b")
        // The first one takes what there is.
        #expect(choice.choose(CellWish(use: .serving)) == "a")
        #expect(choice.choose(CellWish(use: .serving, pool: "sb")) == "b")
        #expect(choice.choose(CellWish(use: .serving, pool: "pa")) == nil)
    }
}
