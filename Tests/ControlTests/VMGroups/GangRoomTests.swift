import Fleet
import Store
import Testing
import VMPlacement

@testable import Control

/// Which cell a gang goes to.
@Suite struct GangRoomTests {
    private static func room(_ hosts: [HostRecord]) -> GangRoom {
        GangRoom(hosts: hosts, pools: ["p": PoolSpec(cell: "a", admits: [.vm])])
    }

    private static func request(
        _ cell: GroupFixture, _ scope: AntiAffinity.Scope? = nil
    ) throws -> VMRequest {
        var cell = cell
        try cell.make(0..<1)
        var request = try #require(cell.members[0].request(flavors: [:]))
        request.antiAffinity = scope.map { AntiAffinity(group: "ring", scope: $0) }
        return request
    }

    @Test func theCellThatTakesAllOfIt() throws {
        let cell = try GroupFixture(replicas: 3)
        // West has more room in all, and none of its hosts takes more than one member.
        var room = Self.room(
            (0..<2).map { cell.host("e\($0)", cell: "east") }
                + (0..<3).map { cell.host("w\($0)", cell: "west", milliCPU: 7000) })
        #expect(room.choose(try Self.request(cell), count: 4) == .cell("east"))
        // What it took is gone; so the next goes west.
        #expect(room.choose(try Self.request(cell), count: 3) == .cell("west"))
        #expect(
            room.choose(try Self.request(cell), count: 1)
                == .none("no cell has room for 1 members: east 0, west 0"))
    }

    @Test func membersThatKeepApartNeedSoManyDomains() throws {
        let cell = try GroupFixture(replicas: 3)
        let hosts =
            (0..<3).map { cell.host("e\($0)", cell: "east", rack: "r") }
            + (0..<2).map { cell.host("w\($0)", cell: "west", rack: "r\($0)") }
        var room = Self.room(hosts)
        #expect(room.choose(try Self.request(cell, .host), count: 3) == .cell("east"))
        room = Self.room(hosts)
        #expect(room.choose(try Self.request(cell, .rack), count: 2) == .cell("west"))
        room = Self.room(hosts)
        #expect(
            room.choose(try Self.request(cell, .zone), count: 2)
                == .none("no cell has room for 2 members: east 1, west 1"))
    }

    @Test func theOnlyCellIsChosenEvenIfItIsFull() throws {
        let cell = try GroupFixture(replicas: 3)
        var room = Self.room([cell.host("e", cell: "east", milliCPU: 1000)])
        #expect(room.choose(try Self.request(cell), count: 9) == .cell("east"))
        var request = try Self.request(cell)
        request.pool = "other"
        #expect(
            room.choose(request, count: 1) == .none("no cell has hosts of the pool and with the labels"))
    }
}
