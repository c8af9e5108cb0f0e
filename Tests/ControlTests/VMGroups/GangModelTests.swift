import Fleet
import Store
import Testing
import VMPlacement

@testable import Control

/// When a cell's model offers a gang to the planner.
@Suite struct GangModelTests {
    private static let names = ["ring-0", "ring-1", "ring-2", "ring-3"]

    @Test func nothingIsOfferedUntilEveryMemberAndTheGroupAreKnown() throws {
        var cell = try GroupFixture(replicas: 4, hosts: 4)
        try cell.make(0..<4)
        for member in cell.members { cell.model.put(vm: member) }
        #expect(cell.requests().isEmpty, "the group is not known")
        cell.model.drop(vm: cell.members[2].metadata.uid)
        cell.model.put(group: cell.group)
        #expect(cell.requests().isEmpty, "a member is not known")
        cell.model.put(vm: cell.members[2])
        #expect(cell.requests() == Self.names)
        let sizes = cell.model.requests(limit: 9).map { $0.gang?.count }
        #expect(sizes == [4, 4, 4, 4])
    }

    @Test func theLimitCutsNoGang() throws {
        var cell = try GroupFixture(replicas: 4, hosts: 4)
        try cell.make(0..<4)
        cell.tell()
        var lone = cell.members[0]
        lone.metadata.uid = cell.ids.id()
        lone.metadata.name = "lone"
        lone.metadata.createdAt = GroupFixture.now.advanced(by: .seconds(1))
        lone.spec.group = nil
        cell.model.put(vm: lone)
        #expect(cell.requests(limit: 2) == Self.names)
        #expect(cell.requests(limit: 5) == Self.names + ["lone"])
        let members = cell.members.map { cell.model.queuePosition(of: $0.metadata.uid) }
        #expect(members == [1, 1, 1, 1] && cell.model.queuePosition(of: lone.metadata.uid) == 5)
    }

    @Test func aGroupOfAnyIsNoGang() throws {
        var cell = try GroupFixture(replicas: 4, placement: .any, hosts: 1)
        try cell.make(0..<2)
        cell.tell()
        #expect(cell.requests().sorted() == ["ring-0", "ring-1"])
        #expect(cell.model.requests(limit: 9).allSatisfy { $0.gang == nil })
    }

    @Test func thoseThatLostTheirHostGoTogether() throws {
        var cell = try GroupFixture(replicas: 4, hosts: 4)
        try cell.make(0..<4)
        cell.tell()
        let host = try #require(cell.model.hosts.keys.min())
        for ordinal in [0, 3] { cell.run(ordinal, on: host) }
        #expect(cell.requests() == ["ring-1", "ring-2"])
        #expect(cell.model.requests(limit: 9).map { $0.gang?.count } == [2, 2])
    }

    @Test func oneThatBacksOffHoldsTheOthers() throws {
        var cell = try GroupFixture(replicas: 4, hosts: 4)
        try cell.make(0..<4)
        cell.tell()
        cell.model.refuse(cell.members[1].metadata.uid, .quotaExceeded)
        #expect(cell.requests().isEmpty)
        cell.model.retryRefused(project: "team")
        #expect(cell.requests() == Self.names)
    }

    @Test func aMemberBeingDeletedIsMissedUnlessItHoldsRoom() throws {
        var cell = try GroupFixture(replicas: 4, hosts: 4)
        try cell.make(0..<4)
        cell.members[1].metadata.deletionTimestamp = GroupFixture.now
        cell.tell()
        #expect(cell.requests().isEmpty)
        let host = try #require(cell.model.hosts.keys.min())
        cell.run(1, on: host)
        #expect(cell.requests() == ["ring-0", "ring-2", "ring-3"])
    }

    @Test func fewerMembersAreTriedAtOnce() throws {
        var cell = try GroupFixture(replicas: 4, separation: .host, hosts: 2)
        try cell.make(0..<4)
        cell.tell()
        let why = try #require(
            cell.model.explain(cell.members[3], now: GroupFixture.now).explanation)
        #expect(why.gang == .init(group: "ring", members: 4, fitted: 2, member: "ring-2"))
        for member in cell.members { cell.model.block(member.metadata.uid, why) }
        #expect(cell.requests().isEmpty)
        cell.group.spec.replicas = 2
        cell.model.put(group: cell.group)
        #expect(cell.requests() == ["ring-0", "ring-1"])
        let now = cell.model.explain(cell.members[0], now: GroupFixture.now).explanation
        #expect(now?.gang == nil && now?.feasible == 2)
    }

    @Test func aBlockedGangIsTriedAgainWhenThereIsMoreRoom() throws {
        var cell = try GroupFixture(replicas: 2, separation: .host, hosts: 1)
        try cell.make(0..<2)
        cell.tell()
        let why = try #require(cell.model.explainGang(cell.group.metadata.uid, now: GroupFixture.now))
        for member in cell.members { cell.model.block(member.metadata.uid, why) }
        #expect(cell.requests().isEmpty)
        cell.model.put(host: cell.host("more"))
        #expect(cell.requests() == ["ring-0", "ring-1"])
    }
}
