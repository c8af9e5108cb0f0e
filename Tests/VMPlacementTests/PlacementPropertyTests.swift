import Fleet
import Testing
import VMPlacement

/// Random fleets and histories; a failure names the seed.
@Suite struct PlacementPropertyTests {
    static let seeds: [UInt64] = [1, 2, 3, 4, 5, 6]

    @Test(arguments: seeds, [.firstFit, .bestFit] as [PlacementPolicy])
    func choosesTheHostThatTheReferenceChooses(seed: UInt64, policy: PlacementPolicy) {
        var fleet = RandomFleet(seed: seed, hosts: 14)
        var reference = ReferencePlacement(hosts: fleet.hosts)
        var cell = PlacementCell(fleet.hosts)
        for number in 1...220 {
            let request = fleet.randomRequest()
            let expected = reference.best(request, policy)
            let choice = cell.choice(for: request, policy)
            #expect(choice?.host == expected?.id, "seed \(seed), request \(number)")
            if let choice {
                let allocation = choice.allocation(
                    for: request, id: allocationID(number), cell: "c", plan: nil, now: epoch)
                cell.add(allocation)
                reference.allocations.append(allocation)
            }
            if fleet.random.chance(40), !reference.allocations.isEmpty {
                let gone = reference.allocations.remove(
                    at: fleet.random.below(reference.allocations.count))
                let isKnown = cell.remove(allocation: gone.id)
                #expect(isKnown, "seed \(seed)")
            }
        }
    }

    @Test(arguments: seeds)
    func admissionHoldsOnEveryHostAtAnyTime(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 10)
        var cell = PlacementCell(fleet.hosts)
        var devices: Set<String> = []
        for number in 1...300 {
            let choice = cell.commit(
                fleet.randomRequest(), fleet.random.pick(PlacementPolicy.allCases), as: number)
            for device in choice?.devices ?? [] {
                let isFirst = devices.insert(device).inserted
                #expect(isFirst, "seed \(seed): \(device) given twice")
            }
            for host in fleet.hosts {
                let room = cell.room(of: host.id)
                #expect(room?.cpuHolds == true && room?.memoryHolds == true, "seed \(seed), \(host.name)")
            }
        }
    }

    @Test(arguments: seeds)
    func changesOneByOneEqualARebuiltCell(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 12)
        var hosts = Dictionary(uniqueKeysWithValues: fleet.hosts.map { ($0.id, $0) })
        var allocations: [ID<Allocation>: Allocation] = [:]
        var cell = PlacementCell([])
        for number in 1...400 {
            let index = fleet.random.below(12)
            switch fleet.random.below(10) {
            case 0:
                let host = fleet.randomHost(index)
                hosts[host.id] = host
                cell.upsert(host: host)
            case 1:
                hosts[hostID(index)] = nil
                cell.remove(host: hostID(index))
            case 2...6:
                let request = fleet.randomRequest()
                let devices = request.devices.isEmpty ? [] : ["GPU-\(index)-\(fleet.random.below(8))"]
                let allocation = makeAllocation(number, of: request, on: index, devices: devices)
                allocations[allocation.id] = allocation
                cell.add(allocation)
            default:
                let id = allocationID(1 + fleet.random.below(number))
                let isKnown = cell.remove(allocation: id)
                let wasKnown = allocations.removeValue(forKey: id) != nil
                #expect(isKnown == wasKnown, "seed \(seed)")
            }
        }
        for host in hosts.values { cell.upsert(host: host) }
        let rebuilt = PlacementCell(
            fleet.random.shuffled(Array(hosts.values)), fleet.random.shuffled(Array(allocations.values)))
        expectEqual(cell, rebuilt, hosts: Array(hosts.keys), &fleet)
    }

    private func expectEqual(
        _ cell: PlacementCell, _ other: PlacementCell, hosts: [ID<Document>], _ fleet: inout RandomFleet
    ) {
        let seed = fleet.random.seed
        #expect(cell.hostCount == other.hostCount && cell.packing == other.packing, "seed \(seed)")
        #expect(cell.allocationCount == other.allocationCount, "seed \(seed)")
        for host in hosts { #expect(cell.room(of: host) == other.room(of: host), "seed \(seed)") }
        let pending = (0..<60).map { _ in fleet.randomRequest() }
        for request in pending {
            #expect(
                cell.explain(request, policy: .bestFit) == other.explain(request, policy: .bestFit),
                "seed \(seed), \(request.workload.name)")
        }
        let inputs = PlacementPlanInputs(now: epoch)
        let plans = [cell, other].map {
            VMPlacementPlanner.plan(cell: $0, pending: pending, inputs: inputs, ids: CountingIDs()).plan
        }
        #expect(plans[0] == plans[1], "seed \(seed)")
    }

    @Test(arguments: seeds)
    func theOrderOfHostsAndQueueHasNoEffect(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 15)
        let pending = (0..<120).map { _ in fleet.randomRequest() }
        let inputs = PlacementPlanInputs(now: epoch, maxGroups: 70)
        let first = VMPlacementPlanner.plan(
            cell: PlacementCell(fleet.hosts), pending: pending, inputs: inputs, ids: CountingIDs())
        let second = VMPlacementPlanner.plan(
            cell: PlacementCell(fleet.random.shuffled(fleet.hosts)), pending: fleet.random.shuffled(pending),
            inputs: inputs, ids: CountingIDs())
        #expect(first.plan == second.plan, "seed \(seed)")
    }

    @Test(arguments: seeds)
    func explanationsCountEveryHostOnceUnderItsFirstConstraint(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 20)
        var reference = ReferencePlacement(hosts: fleet.hosts)
        for number in 1...150 {
            let allocation = makeAllocation(number, of: fleet.randomRequest(), on: fleet.random.below(20))
            reference.allocations.append(allocation)
        }
        let cell = PlacementCell(fleet.hosts, reference.allocations)
        for _ in 0..<80 {
            let request = fleet.randomRequest()
            let explanation = cell.explain(request, policy: .bestFit)
            let refusals = fleet.hosts.map { reference.refusal(request, $0) }
            let counts = Reason.allCases.compactMap { reason in
                let hosts = refusals.filter { $0 == reason }.count
                return hosts > 0 ? PlacementExplanation.Rejection(reason: reason, hosts: hosts) : nil
            }
            #expect(explanation.rejected == counts, "seed \(seed)")
            #expect(explanation.feasible == refusals.filter { $0 == nil }.count, "seed \(seed)")
            #expect(
                explanation.hosts == explanation.feasible + counts.reduce(0) { $0 + $1.hosts }, "seed \(seed)"
            )
            #expect(explanation.candidates.count == min(6, explanation.feasible), "seed \(seed)")
            #expect(explanation.candidates.first?.host == cell.hostName(for: request), "seed \(seed)")
            #expect((explanation.nearestFix == nil) == (explanation.feasible > 0), "seed \(seed)")
        }
    }
}
