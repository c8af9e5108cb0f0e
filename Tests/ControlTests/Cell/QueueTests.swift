import Fleet
import Store
import Testing
import VMPlacement

@testable import Control

/// Which waiting VMs go into a plan when there are more of them than it takes.
@Suite struct QueueTests {
    /// Six VMs `ring-0` to `ring-5` that stand alone, the first the oldest.
    private func cell() throws -> GroupFixture {
        var cell = try GroupFixture(replicas: 6, placement: .any, hosts: 1)
        try cell.make(0..<6)
        for index in cell.members.indices {
            cell.members[index].spec.group = nil
            cell.members[index].metadata.createdAt = GroupFixture.now.advanced(by: .seconds(index))
            cell.model.put(vm: cell.members[index])
        }
        return cell
    }

    private func block(_ ordinals: [Int], in cell: inout GroupFixture) throws {
        for ordinal in ordinals {
            let vm = cell.members[ordinal]
            let explanation = try #require(cell.model.explain(vm, now: GroupFixture.now).explanation)
            cell.model.block(vm.metadata.uid, explanation)
        }
    }

    @Test func theOldestGoFirst() throws {
        #expect(try cell().requests(limit: 2) == ["ring-0", "ring-1"])
    }

    @Test func newOnesAreTriedBesideThoseThatFitNowhere() throws {
        var cell = try cell()
        try block([0, 1, 2, 3], in: &cell)
        #expect(cell.requests() == ["ring-4", "ring-5"], "the others wait for room")
        cell.model.put(host: cell.host("more"))
        #expect(cell.requests(limit: 2) == ["ring-0", "ring-4"])
    }

    @Test func thoseThatFitNowhereTakeTurns() throws {
        var cell = try cell()
        try block([0, 1, 2, 3, 4, 5], in: &cell)
        var tried: [[String]] = []
        for round in 0..<3 {
            cell.model.put(host: cell.host("more-\(round)"))
            let names = cell.requests(limit: 2)
            tried.append(names)
            try block(names.map { try #require(Int($0.dropFirst("ring-".count))) }, in: &cell)
        }
        #expect(tried == [["ring-0", "ring-1"], ["ring-2", "ring-3"], ["ring-4", "ring-5"]])
    }
}
