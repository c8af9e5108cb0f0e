import Fleet
import Testing

@testable import VMPlacement

@Suite struct DrainPlannerTests {
    /// Hosts of 8 vCPUs in pool `p`.
    private static func cell(_ hosts: Int) -> (PlacementCell, [ID<Document>]) {
        let ids = (0..<hosts).map { hostID($0 + 1) }
        let snapshots = ids.enumerated().map { index, id in
            HostSnapshot(
                id: id, name: "h\(index + 1)", pool: "p",
                capacity: Resources(milliCPU: 8000, memoryMiB: 65_536))
        }
        return (PlacementCell(name: "c", hosts: snapshots), ids)
    }

    /// Puts a VM of 1 vCPU on a host, that lives so many minutes from `epoch` on.
    private static func run(
        _ number: Int, minutes: Double, on host: ID<Document>, _ cell: inout PlacementCell,
        milliCPU: Int = 1000
    ) -> DrainingVM {
        let workload = WorkloadReference(
            kind: .vm, uid: ID(uuid(number, kind: 3)), project: "team", name: "v\(number)", part: "vm")
        let resources = Resources(milliCPU: milliCPU, memoryMiB: 64)
        let started = epoch.advanced(by: .seconds(-60 * Double(100 - number)))
        var features = VMFeatures(resources: resources)
        features.hintSeconds = epoch.advanced(by: .seconds(minutes * 60)).since(started).inSeconds
        let lifetime = VMLifetime(features: features, startedAt: started)
        let allocation = Allocation(
            id: allocationID(number), workload: workload, cell: "c", host: host, class: .standard,
            resources: resources, state: .active, createdAt: started)
        cell.add(allocation, lifetime: lifetime, at: started)
        return DrainingVM(
            allocation: allocation.id, workload: workload,
            request: VMRequest(
                workload: workload, resources: resources, startedAt: started, queuedAt: started),
            lifetime: lifetime)
    }

    private static func host(
        _ id: ID<Document>, _ vms: [DrainingVM], underWay: Int = 0, rules: MigrationRules = MigrationRules(),
        due: Timestamp? = nil
    ) -> DrainingHost {
        DrainingHost(
            id: id, name: "h", pool: "p", vms: vms, left: vms.count + underWay, underWay: underWay, due: due,
            rules: rules)
    }

    private static func track(_ cell: inout PlacementCell) {
        cell.trackLifetimes(LifetimeSettings(cap: nil), model: HintModel(spread: 0), now: epoch)
    }

    /// The vector of the specification: one slot of 20 minutes, VMs that end as predicted.
    @Test func theLongestGoFirstAndTheOthersEnd() {
        var (cell, ids) = Self.cell(3)
        let remaining = [5.0, 30, 70, 200, 15]
        var vms = remaining.enumerated().map { index, minutes in
            Self.run(index, minutes: minutes, on: ids[0], &cell)
        }
        Self.track(&cell)
        var planner = DrainPlanner()
        var moved: [String] = []
        var now = epoch
        let rules = MigrationRules(slotsPerHost: 1)
        while !vms.isEmpty {
            let round = planner.plan(
                [Self.host(ids[0], vms, rules: rules)], on: cell, terms: .init(now: now))
            let begins = round.decisions[0].beginning.map(\.vm)
            #expect(begins.count == 1 && round.decisions[0].order == .lars)
            moved += begins.map(\.workload.name)
            now = now.advanced(by: .seconds(1200))
            let gone = begins.map(\.allocation)
            vms.removeAll { vm in
                let ends = epoch.advanced(
                    by: .seconds(60 * remaining[Int(vm.workload.name.dropFirst()) ?? 0]))
                return gone.contains(vm.allocation) || ends <= now
            }
        }
        #expect(moved == ["v3", "v2"])
    }

    @Test func aPreviewSaysWhoEndsBeforeItsTurn() {
        var (cell, ids) = Self.cell(3)
        let vms = [5.0, 30, 70, 200, 15].enumerated().map { index, minutes in
            Self.run(index, minutes: minutes, on: ids[0], &cell)
        }
        Self.track(&cell)
        var planner = DrainPlanner()
        let rules = MigrationRules(slotsPerHost: 1)
        let decision = planner.plan(
            [Self.host(ids[0], vms, rules: rules)], on: cell, terms: .init(now: epoch)
        )
        .decisions[0]
        #expect(decision.moves.map(\.vm.workload.name) == ["v3", "v2", "v1", "v4", "v0"])
        #expect(decision.moves.map(\.endsFirst) == [false, false, true, true, true])
    }

    @Test func withoutPredictionsTheOldestGoFirst() {
        var (cell, ids) = Self.cell(2)
        let vms = [200.0, 5, 70].enumerated().map { Self.run($0, minutes: $1, on: ids[0], &cell) }
        var planner = DrainPlanner()
        let decision = planner.plan([Self.host(ids[0], vms)], on: cell, terms: .init(now: epoch)).decisions[0]
        #expect(decision.order == .creation)
        #expect(decision.moves.map(\.vm.workload.name) == ["v0", "v1", "v2"])
        #expect(decision.moves.allSatisfy { $0.remaining == nil && !$0.endsFirst })
    }

    @Test func anOrderHoldsUntilItIsTimeToPredictAnew() {
        // Past their hints, the one with the shorter past is predicted to live less.
        let first = DrainCandidate(number: 0, lifetime: lifetime(hint: 100, startedAt: 0))
        let second = DrainCandidate(number: 1, lifetime: lifetime(hint: 90, startedAt: 0))
        let third = DrainCandidate(number: 2, lifetime: lifetime(hint: 500, startedAt: 0))
        var queue = DrainQueue(order: .lars)
        let predictor = LifetimePredictor(HintModel(spread: 0.5), cap: nil)
        func numbers(_ candidates: [DrainCandidate], _ seconds: Double) -> [Int] {
            let now = epoch.advanced(by: .seconds(seconds))
            return queue.sorted(candidates, now: now, predictor: predictor).map(\.number)
        }
        let before = numbers([first, second], 0)
        #expect(before == [0, 1])
        #expect(numbers([second, first], 10_000) != before || numbers([first], 10_000) == [0])
        // A newcomer is put in its place at once.
        #expect(numbers([first, second, third], 10_001).first == 2)
    }

    private func lifetime(hint: Double, startedAt seconds: Double) -> VMLifetime {
        var features = VMFeatures(resources: Resources(milliCPU: 1000, memoryMiB: 64))
        features.hintSeconds = hint
        return VMLifetime(features: features, startedAt: epoch.advanced(by: .seconds(seconds)))
    }

    /// Random cells, many hosts of which drain at once.
    @Test func noPromiseIsBroken() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<60 {
            let count = 3 + random.below(8)
            var (cell, ids) = Self.cell(count)
            var vms: [[DrainingVM]] = ids.map { _ in [] }
            for number in 0..<random.below(count * 5) {
                let host = random.below(count)
                guard vms[host].count < 7 else { continue }
                vms[host].append(
                    Self.run(number, minutes: Double(1 + random.below(500)), on: ids[host], &cell))
            }
            if random.below(2) == 0 { Self.track(&cell) }
            let draining = (0..<count).filter { _ in random.below(2) == 0 }
            let rules = MigrationRules(slotsPerHost: 1 + random.below(4), slotsPerPool: 1 + random.below(6))
            let hosts = draining.map { Self.host(ids[$0], vms[$0], rules: rules) }
            var planner = DrainPlanner()
            let (decisions, after) = planner.plan(hosts, on: cell, terms: .init(now: epoch))
            var again = DrainPlanner()
            #expect(again.plan(hosts.reversed(), on: cell, terms: .init(now: epoch)).decisions == decisions)
            let closed = Set(draining.map { ids[$0] })
            #expect(decisions.map(\.host) == closed.sorted())
            #expect(decisions.flatMap(\.beginning).count <= rules.poolSlots)
            for decision in decisions {
                let own = vms[ids.firstIndex(of: decision.host) ?? 0]
                #expect(decision.beginning.count <= rules.hostSlots)
                #expect(decision.moves.count + decision.blocked.count == own.count)
                #expect(decision.moves.allSatisfy { !closed.contains($0.target.host) })
            }
            for id in ids where !closed.contains(id) {
                #expect(after.room(of: id).map { $0.cpuHolds && $0.memoryHolds } == true)
            }
        }
    }

    @Test func hostsThatAreDueComeFirst() {
        var (cell, ids) = Self.cell(3)
        let first = [Self.run(0, minutes: 60, on: ids[0], &cell)]
        let second = [Self.run(1, minutes: 60, on: ids[1], &cell)]
        let rules = MigrationRules(slotsPerPool: 1)
        var planner = DrainPlanner()
        let decisions = planner.plan(
            [
                Self.host(ids[0], first, rules: rules),
                Self.host(ids[1], second, rules: rules, due: epoch.advanced(by: .seconds(60))),
            ], on: cell, terms: .init(now: epoch)
        ).decisions
        #expect(decisions.map(\.beginning.count) == [0, 1])
    }

    @Test func theBestHostToEmptyIsTheOneThatFreesMostForAMove() {
        var (cell, ids) = Self.cell(5)
        var vms: [[DrainingVM]] = ids.map { _ in [] }
        var number = 0
        for (host, lives) in [[600.0, 600], [3000.0], [30.0, 30], [3000.0, 3000, 3000, 3000, 3000]]
            .enumerated()
        {
            for minutes in lives {
                vms[host].append(Self.run(number, minutes: minutes, on: ids[host], &cell))
                number += 1
            }
        }
        Self.track(&cell)
        let hosts = (0..<4).map { Self.host(ids[$0], vms[$0]) }
        func choose(_ limit: Int, wanted: Int = 9, looked: Int = 8) -> [ID<Document>] {
            DefragmentationPlanner.choose(
                from: hosts, on: cell, terms: .init(now: epoch), limit: limit, wanted: wanted, empty: 1,
                looked: looked
            ).chosen.map(\.host.id)
        }
        #expect(choose(1) == [ids[1]])
        #expect(choose(4).first == ids[1] && Set(choose(4)).count == choose(4).count)
        #expect(choose(4, wanted: 2) == [ids[1]])
        #expect(choose(4, wanted: 1).isEmpty)
        // The one with the least in use is looked at first.
        #expect(choose(1, looked: 1) == [ids[1]])
    }
}
