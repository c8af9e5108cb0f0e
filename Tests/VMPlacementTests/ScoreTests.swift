import Fleet
import Testing
import VMPlacement

@Suite struct ScoreTests {
    @Test func bestFitPrefersTheFullerHostAndOpensAnEmptyOneLast() {
        var cell = PlacementCell([makeHost(1, vCPU: 4), makeHost(2), makeHost(3)])
        cell.add(makeAllocation(1, of: makeRequest(vCPU: 8), on: 2))
        cell.add(makeAllocation(2, of: makeRequest(vCPU: 16), on: 3))
        #expect(cell.hostName(for: makeRequest()) == "h-3")
        cell.remove(allocation: allocationID(2))
        #expect(cell.hostName(for: makeRequest()) == "h-2")
        cell.remove(allocation: allocationID(1))
        #expect(cell.hostName(for: makeRequest()) == "h-1")
    }

    @Test func firstFitTakesTheLowestIDEmptyOrNot() {
        let cell = PlacementCell(
            [makeHost(3), makeHost(2), makeHost(1)], [makeAllocation(1, of: makeRequest(), on: 3)])
        #expect(cell.hostName(for: makeRequest(), .firstFit) == "h-1")
    }

    @Test func equalHostsAreDecidedByID() {
        let cell = PlacementCell([makeHost(9), makeHost(7), makeHost(8)])
        #expect(cell.hostName(for: makeRequest()) == "h-7")
    }

    @Test func keysAreGivenInWords() {
        let cell = PlacementCell([makeHost(1), makeHost(2)], [makeAllocation(1, of: makeRequest(), on: 2)])
        let request = makeRequest(vCPU: 28, gibibytes: 88)
        // h-2: (60 − 28) / 64 + (184 − 88) / 192 = 1; h-1: (64 − 28) / 64 + (192 − 88) / 192.
        #expect(
            cell.explain(request, policy: .bestFit).candidates == [
                .init(host: "h-2", key: ["deviceHost=0", "emptyHost=0", "bestFit=1.000000", "order=1"]),
                .init(host: "h-1", key: ["deviceHost=0", "emptyHost=1", "bestFit=1.104166", "order=0"]),
            ])
        #expect(
            cell.explain(request, policy: .firstFit).candidates.map(\.key) == [
                ["deviceHost=0", "order=0"], ["deviceHost=0", "order=1"],
            ])
    }

    @Test func theNearestFixIsTheSmallestChange() {
        let full = makeRequest(vCPU: 62, gibibytes: 8)
        var cordoned = makeHost(3)
        cordoned.isSchedulable = false
        var hosts = [makeHost(1), makeHost(2), cordoned]
        var allocations = [makeAllocation(1, of: full, on: 1), makeAllocation(2, of: full, on: 2)]
        allocations.append(makeAllocation(3, of: makeRequest(vCPU: 1, gibibytes: 1), on: 2))
        let fix = PlacementCell(hosts, allocations).explain(makeRequest(), policy: .bestFit).nearestFix
        #expect(fix == "2 vCPU more on host h-1 (InsufficientCPU)")
        hosts.removeFirst(2)
        let other = PlacementCell(hosts).explain(makeRequest(), policy: .bestFit).nearestFix
        #expect(other == "host h-3 uncordoned (HostCordoned)")
        var request = makeRequest(vCPU: 64, gibibytes: 193)
        request.devices = [DeviceRequest(model: "H100", count: 2)]
        #expect(
            PlacementCell([makeHost(1)]).explain(request, policy: .bestFit).nearestFix
                == "1 GiB more on host h-1 (InsufficientMemory) and 2 free H100 more on host h-1 "
                + "(InsufficientDevices)")
    }

    @Test func anEmptyCellExplainsItself() {
        let explanation = PlacementCell([]).explain(makeRequest(), policy: .bestFit)
        #expect(explanation == PlacementExplanation(hosts: 0, feasible: 0, rejected: []))
    }
}
