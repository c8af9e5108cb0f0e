import Fleet
import Testing
import VMPlacement

/// Groups that are placed whole or not at all.
@Suite struct GangTests {
    /// Members of one gang, `vm-FIRST` and on.
    static func gang(
        _ count: Int, group: Int = 1, first: Int = 1, vCPU: Int = 4, scope: AntiAffinity.Scope? = nil
    ) -> [VMRequest] {
        (0..<count).map { ordinal in
            var request = makeRequest(first + ordinal, vCPU: vCPU)
            request.gang = GangMember(
                group: ID(uuid(group, kind: 4)), name: "g\(group)", ordinal: ordinal, count: count)
            request.antiAffinity = scope.map { AntiAffinity(group: "g\(group)", scope: $0) }
            return request
        }
    }

    private static func plan(
        _ cell: PlacementCell, _ pending: [VMRequest], maxGroups: Int = 1000
    ) -> (plan: Plan, cell: PlacementCell) {
        VMPlacementPlanner.plan(
            cell: cell, pending: pending, inputs: .init(now: epoch, maxGroups: maxGroups), ids: CountingIDs())
    }

    @Test func allMembersAreOneGroup() {
        let hosts = (1...4).map { makeHost($0) }
        let (plan, cell) = Self.plan(PlacementCell(hosts), Self.gang(4, scope: .host))
        #expect(plan.groups.count == 1 && plan.report.placed == 4 && plan.report.unplaced.isEmpty)
        #expect(Set(allocations(plan).map(\.host)).count == 4)
        #expect(allocations(plan).map(\.workload.name) == ["vm-1", "vm-2", "vm-3", "vm-4"])
        #expect(cell.allocationCount == 4)
    }

    @Test func oneMemberTooManyPlacesNone() throws {
        let cell = PlacementCell((1...6).map { makeHost($0) })
        let (plan, after) = Self.plan(cell, Self.gang(8, scope: .host))
        #expect(plan.groups.isEmpty && plan.report.placed == 0)
        #expect(after.packing == cell.packing && after.allocationCount == 0)
        #expect(plan.report.unplaced.map(\.name) == (1...8).map { "vm-\($0)" })
        for unplaced in plan.report.unplaced {
            let explanation = unplaced.explanation
            #expect(explanation.gang == .init(group: "g1", members: 8, fitted: 6, member: "vm-7"))
            #expect(explanation.feasible == 0)
            #expect(explanation.rejected == [.init(reason: .antiAffinity, hosts: 6)])
        }
        let sentence = try #require(plan.report.unplaced.first).explanation.sentence
        #expect(
            sentence == "6 of 8 members of g1 fit together; vm-7: 0 of 6 hosts fit: 6 AntiAffinity")
    }

    @Test func aRefusedGangHoldsNobodyUp() {
        let cell = PlacementCell([makeHost(1, vCPU: 16)])
        // Five of four vCPUs do not fit; what was tried and undone fits the one behind, of the same shape.
        var behind = makeRequest(9)
        behind.queuedAt = epoch.advanced(by: .seconds(1))
        let (plan, after) = Self.plan(cell, Self.gang(5) + [behind])
        #expect(allocations(plan).map(\.workload.name) == ["vm-9"])
        #expect(plan.report.unplaced.count == 5 && after.allocationCount == 1)
        #expect(plan.report.unplaced.allSatisfy { $0.explanation.gang?.fitted == 4 })
    }

    @Test func aGangAboveTheLimitGoesWhole() {
        let cell = PlacementCell([makeHost(1)])
        var behind = makeRequest(9)
        behind.queuedAt = epoch.advanced(by: .seconds(1))
        let (plan, _) = Self.plan(cell, Self.gang(8) + [behind], maxGroups: 4)
        #expect(plan.groups.map(\.directives.count) == [8])
        let (ahead, _) = Self.plan(
            cell, [makeRequest(0)] + Self.gang(8) + [behind], maxGroups: 4)
        #expect(ahead.groups.map(\.directives.count) == [1, 8])
    }

    @Test func aGangThatIsNotWholeIsLeftForLater() {
        let cell = PlacementCell([makeHost(1)])
        let (plan, _) = Self.plan(cell, Self.gang(8).dropLast() + [makeRequest(20)])
        #expect(allocations(plan).map(\.workload.name) == ["vm-20"])
        #expect(plan.report.unplaced.isEmpty)
    }

    @Test func membersOfPoolsAndShapesOfTheirOwnStandTogether() {
        let cell = PlacementCell([makeHost(1, pool: "general"), makeHost(2, pool: "big")])
        var gang = Self.gang(2)
        gang[1].pool = "big"
        #expect(allocations(Self.plan(cell, gang).plan).map(\.host) == [hostID(1), hostID(2)])
        gang[1].pool = "nowhere"
        let (plan, after) = Self.plan(cell, gang)
        #expect(plan.groups.isEmpty && after.packing == cell.packing)
        #expect(plan.report.unplaced[0].explanation.gang?.member == "vm-2")
    }

    @Test func predictionsOfHostsAreAsBeforeARefusedGang() {
        var cell = PlacementCell((1...3).map { makeHost($0, vCPU: 16, gibibytes: 64) })
        cell.trackLifetimes(.init(), model: HintModel(spread: 0), now: epoch)
        let inputs = PlacementPlanInputs(policy: .lava, now: epoch)
        var first = makeRequest(50, vCPU: 2)
        first.lifetimeHint = .seconds(3600)
        let ids = CountingIDs()
        func plan(on cell: PlacementCell, _ pending: [VMRequest]) -> (plan: Plan, cell: PlacementCell) {
            VMPlacementPlanner.plan(cell: cell, pending: pending, inputs: inputs, ids: ids)
        }
        let filled = plan(on: cell, [first]).cell
        // Enough of them fill a host, which moves it on to another state.
        let (refused, after) = plan(on: filled, Self.gang(20))
        #expect(refused.groups.isEmpty && refused.report.unplaced.first?.explanation.gang?.fitted == 11)
        let next = plan(on: after, [makeRequest(60)]).plan
        let expected = plan(on: filled, [makeRequest(60)]).plan
        #expect(next.inputsHash == expected.inputsHash)
        #expect(allocations(next).map(\.host) == allocations(expected).map(\.host))
    }

    /// Gangs and lone VMs on random fleets: whole or not at all, apart as asked, and as if the refused gangs
    /// had never been tried.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func gangsAreWholeOnRandomFleets(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 12)
        var pending: [VMRequest] = []
        for group in 0..<40 {
            let count = 1 + fleet.random.below(12)
            var leader = fleet.randomRequest()
            let separation = fleet.random.pick([nil, .host, .rack, .zone] as [AntiAffinity.Scope?])
            leader.antiAffinity = separation.map { AntiAffinity(group: "gang-\(group)", scope: $0) }
            for ordinal in 0..<count {
                var member = leader
                member.workload = fleet.randomRequest().workload
                member.workload.project = leader.workload.project
                member.gang = GangMember(
                    group: ID(uuid(group, kind: 4)), name: "gang-\(group)", ordinal: ordinal, count: count)
                pending.append(member)
            }
            pending.append(fleet.randomRequest())
        }
        let cell = PlacementCell(fleet.hosts)
        let (plan, after) = Self.plan(cell, fleet.random.shuffled(pending))
        let gangs = Dictionary(grouping: pending.filter { $0.gang != nil }, by: { $0.gang?.group })
        let placed = Dictionary(uniqueKeysWithValues: allocations(plan).map { ($0.workload.uid, $0) })
        for members in gangs.values {
            let found = members.compactMap { placed[$0.workload.uid] }
            #expect(found.isEmpty || found.count == members.count, "seed \(seed)")
            Self.expectApart(found, members.first?.antiAffinity?.scope, fleet.hosts, seed)
        }
        #expect(plan.report.unplaced.count == pending.count - placed.count, "seed \(seed)")

        let kept = pending.filter { placed[$0.workload.uid] != nil }
        let (again, without) = Self.plan(cell, kept)
        #expect(again.groups.map(\.directives.count) == plan.groups.map(\.directives.count), "seed \(seed)")
        #expect(allocations(again).map(\.host) == allocations(plan).map(\.host), "seed \(seed)")
        #expect(without.packing == after.packing, "seed \(seed)")
    }

    private static func expectApart(
        _ allocations: [Allocation], _ scope: AntiAffinity.Scope?, _ hosts: [HostSnapshot], _ seed: UInt64
    ) {
        guard let scope else { return }
        let places = allocations.map { allocation -> String in
            let host = hosts.first { $0.id == allocation.host }
            return switch scope {
            case .host: allocation.host.description
            case .rack: "\(host?.domain.zone ?? "")/\(host?.domain.rack ?? "")"
            case .zone: host?.domain.zone ?? ""
            }
        }
        #expect(Set(places).count == places.count, "seed \(seed), \(scope)")
    }

    private func allocations(_ plan: Plan) -> [Allocation] {
        plan.groups.flatMap(\.directives).compactMap { directive in
            guard case .allocate(let directive) = directive else { return nil }
            return directive.allocation
        }
    }
}
