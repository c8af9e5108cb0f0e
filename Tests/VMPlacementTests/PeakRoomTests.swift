import Fleet
import Testing
import VMPlacement

/// What a host has free beside predicted peaks is what admission takes, to the milli-vCPU.
@Suite struct PeakRoomTests {
    @Test(arguments: 0..<40) func theScanAndAdmissionAgree(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var host = makeHost(1, vCPU: 8 + random.below(57), gibibytes: 512)
        host.cpuRatioPerMille = 1000 + random.below(3000)
        host.maxUtilizationPerMille = 1 + random.below(1000)
        var cell = PlacementCell([host])
        var allocations: [Allocation] = []
        for number in 1...(1 + random.below(12)) {
            var request = makeRequest(number, vCPU: 1, gibibytes: 1)
            request.resources.milliCPU = 1 + random.below(9000)
            request.class = random.pick(WorkloadClass.allCases)
            var allocation = makeAllocation(number, of: request, on: 1)
            cell.add(allocation)
            if request.class != .guaranteed, random.chance(70) {
                allocation.peakMilliCPU = random.below(request.resources.milliCPU + 1)
                cell.foresee(allocation)
            }
            allocations.append(allocation)
        }
        let gone = allocations.remove(at: random.below(allocations.count))
        cell.remove(allocation: gone.id)
        var room = HostRoom(
            total: host.capacity, reserved: host.reserved, cpuRatioPerMille: host.cpuRatioPerMille,
            maxUtilizationPerMille: host.maxUtilizationPerMille)
        for allocation in allocations { room.add(allocation) }
        #expect(cell.room(of: host.id) == room)

        for word in WorkloadClass.allCases {
            var request = makeRequest(99, vCPU: 1, gibibytes: 1)
            request.class = word
            func fits(_ milliCPU: Int) -> Bool {
                request.resources.milliCPU = milliCPU
                let byAdmission = room.refusal(of: request.resources, guaranteed: request.isGuaranteed) == nil
                let byScan = cell.hostName(for: request) != nil
                #expect(byAdmission == byScan, "\(milliCPU) of \(word), seed \(seed)")
                return byAdmission
            }
            // The largest that fits, and the one beyond it.
            var (low, high) = (0, 300_000)
            while low + 1 < high {
                let middle = (low + high) / 2
                if fits(middle) { low = middle } else { high = middle }
            }
            _ = (fits(low), fits(high))
        }
    }

    @Test func whatIsForeseenIsForgottenWithTheAllocation() {
        var host = makeHost(1, vCPU: 10)
        host.cpuRatioPerMille = 2000
        host.maxUtilizationPerMille = 1000
        var cell = PlacementCell([host])
        var first = makeAllocation(1, of: makeRequest(1, vCPU: 8, gibibytes: 1), on: 1)
        cell.add(first)
        let next = makeRequest(2, vCPU: 8, gibibytes: 1)
        #expect(cell.hostName(for: next) == nil)
        #expect(cell.explain(next, policy: .bestFit).sentence.contains("InsufficientPeakRoom"))
        first.peakMilliCPU = 2000
        let (more, again) = (cell.foresee(first), cell.foresee(first))
        #expect(more && !again)
        #expect(cell.hostName(for: next) == "h-1")
        first.peakMilliCPU = nil
        let less = cell.foresee(first)
        #expect(!less)
        #expect(cell.hostName(for: next) == nil)
        cell.remove(allocation: first.id)
        #expect(cell.room(of: host.id)?.sharedPeakMilliCPU == 0)
    }
}
