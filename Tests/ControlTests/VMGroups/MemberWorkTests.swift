import Fleet
import Store
import Testing

@testable import Control

/// What a group's members lack, and what its status says of them.
@Suite struct MemberWorkTests {
    private static func work(_ cell: GroupFixture) -> MemberWork {
        MemberWork(group: cell.group.metadata, spec: cell.group.spec, members: cell.members)
    }

    private static func status(
        _ cell: GroupFixture, _ obstacle: VMGroupStatus.Obstacle? = nil
    ) -> VMGroupStatus {
        .derived(
            group: cell.group, members: cell.members, cell: "a", obstacle: obstacle, now: GroupFixture.now)
    }

    @Test func missingOnesAreMadeAndTheHighestGoFirst() throws {
        var cell = try GroupFixture(replicas: 4)
        #expect(Self.work(cell).missing == [0, 1, 2, 3])
        try cell.make(0..<6)
        #expect(Self.work(cell).missing.isEmpty)
        #expect(Self.work(cell).surplus == [5, 4].map { cell.members[$0].metadata.uid })
        cell.members.remove(at: 2)
        #expect(Self.work(cell).missing == [2])
    }

    @Test func aNameThatIsStillTakenIsWaitedFor() throws {
        var cell = try GroupFixture(replicas: 2)
        try cell.make(0..<3)
        for ordinal in [0, 2] { cell.members[ordinal].metadata.deletionTimestamp = GroupFixture.now }
        #expect(Self.work(cell).isEmpty)
    }

    @Test func aDeletedGroupKeepsNobody() throws {
        var cell = try GroupFixture(replicas: 2)
        try cell.make(0..<1)
        cell.group.metadata.deletionTimestamp = GroupFixture.now
        #expect(Self.work(cell).missing.isEmpty && Self.work(cell).surplus.count == 1)
        #expect(Self.status(cell).state == .stopping)
    }

    @Test func whatItDoesIsToldInFewWords() throws {
        var cell = try GroupFixture(replicas: 9)
        #expect(MemberWork.names([0, 2, 3, 4, 7], of: cell.group) == "ring-0, ring-2 to ring-4 and ring-7")
        try cell.make(0..<1)
        let events = Self.work(cell).events(about: cell.group, members: cell.members, cell: "a")
        #expect(events.map(\.reason) == [.membersCreated])
        #expect(events.map(\.message) == ["made ring-1 to ring-8 in cell a"])
    }

    @Test func aStatusCountsAndSaysWhatTheFirstWaitsFor() throws {
        var cell = try GroupFixture(replicas: 3, hosts: 2)
        try cell.make(0..<3)
        cell.tell()
        let host = try #require(cell.model.hosts.keys.min())
        cell.run(0, on: host)
        cell.members[1].status.conditions.set(
            Condition(
                type: .scheduled, status: .no, reason: .noHostFits, message: "0 of 2 hosts fit",
                lastTransitionTime: GroupFixture.now))
        let status = Self.status(cell)
        #expect(status.state == .pending && status.cell == "a")
        #expect([status.replicas, status.placed, status.running] == [3, 1, 1])
        let scheduled = try #require(status.conditions.first { $0.type == .scheduled })
        #expect(scheduled.reason == .noHostFits)
        #expect(scheduled.message == "1 of 3 members have a host: 0 of 2 hosts fit")
        for ordinal in [1, 2] { cell.run(ordinal, on: host) }
        cell.group.status = status
        let next = Self.status(cell)
        #expect(next.state == .running && next.conditions.allSatisfy { $0.status == .yes })
        #expect(cell.group.events(of: next).map(\.reason) == [.scheduled, .running])
        cell.group.status = next
        #expect(cell.group.events(of: Self.status(cell)).isEmpty)
    }

    @Test func anObstacleIsTold() throws {
        let cell = try GroupFixture(replicas: 3)
        let status = Self.status(cell, .init(reason: .nameTaken, message: "ring-1 is taken"))
        let scheduled = try #require(status.conditions.first { $0.type == .scheduled })
        #expect(scheduled.reason == .nameTaken && scheduled.message.hasSuffix("ring-1 is taken"))
    }

    @Test func anotherTemplateIsToldAndReplacesNobody() throws {
        var cell = try GroupFixture(replicas: 2)
        try cell.make(0..<2)
        func upToDate() -> Reason? { Self.status(cell).conditions.first { $0.type == .upToDate }?.reason }
        #expect(upToDate() == .templateCurrent)
        // What the owner of a VM may change makes no difference.
        cell.members[0].spec.lifetimeHintSeconds = 60
        cell.members[0].metadata.labels["mine"] = "x"
        #expect(upToDate() == .templateCurrent)
        cell.group.spec.template.spec.class = .spot
        #expect(upToDate() == .templateChanged)
        #expect(Self.work(cell).isEmpty)
        cell.group.spec.template.spec.class = nil
        cell.group.spec.template.labels = ["tier": "u"]
        #expect(upToDate() == .templateChanged)
    }
}
