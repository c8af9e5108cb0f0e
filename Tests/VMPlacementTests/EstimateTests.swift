import Fleet
import Testing
import VMPlacement

/// When room is expected, compared with a cell that lets the ends happen.
@Suite struct EstimateTests {
    private func cell(_ cell: PlacementCell, after ends: [ID<Allocation>: Timestamp], at time: Timestamp)
        -> PlacementCell
    {
        var cell = cell
        for (id, end) in ends where end > epoch && end <= time { cell.remove(allocation: id) }
        return cell
    }

    @Test(arguments: PlacementPropertyTests.seeds)
    func thereIsRoomAtThatTimeAndNotATickBefore(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 8)
        var full = PlacementCell(fleet.hosts)
        var ends: [ID<Allocation>: Timestamp] = [:]
        for number in 1...260 {
            guard full.commit(fleet.randomRequest(), .bestFit, as: number) != nil else { continue }
            // Some end together, some should have ended, of some nobody knows.
            if fleet.random.chance(70) {
                ends[allocationID(number)] = epoch.advanced(by: .seconds(fleet.random.below(40) - 5))
            }
        }
        var answers = (some: 0, none: 0)
        for _ in 0..<120 {
            let request = fleet.randomRequest()
            guard full.choice(for: request) == nil else { continue }
            guard let room = full.expectedRoom(for: request, ends: ends, now: epoch) else {
                answers.none += 1
                let end = cell(full, after: ends, at: epoch.advanced(by: .seconds(1000)))
                #expect(end.choice(for: request) == nil, "seed \(seed)")
                continue
            }
            answers.some += 1
            #expect(room.at > epoch, "seed \(seed)")
            let then = cell(full, after: ends, at: room.at)
            #expect(then.choice(for: request) != nil, "seed \(seed)")
            // Of eight hosts an explanation names six.
            let explanation = then.explain(request, policy: .firstFit)
            let isNamed = explanation.candidates.contains { $0.host == room.host }
            #expect(isNamed || explanation.feasible > 6, "seed \(seed)")
            let before = cell(full, after: ends, at: room.at.advanced(by: .microseconds(-1)))
            #expect(before.choice(for: request) == nil, "seed \(seed)")
        }
        #expect(answers.some > 0 && answers.none > 0, "seed \(seed): \(answers)")
    }

    @Test func withoutEndsNothingIsExpected() {
        let request = makeRequest(1, vCPU: 64, gibibytes: 192)
        let full = PlacementCell([makeHost(1)], [makeAllocation(1, of: request, on: 1)])
        let next = makeRequest(2)
        #expect(full.expectedRoom(for: next, ends: [:], now: epoch) == nil)
        let late = epoch.advanced(by: .seconds(5))
        let room = full.expectedRoom(for: next, ends: [allocationID(1): late], now: epoch)
        #expect(room == ExpectedRoom(at: late, host: "h-1", hostID: hostID(1)))
        // Past its hint, nobody knows; and an end of what is not here makes no room.
        #expect(full.expectedRoom(for: next, ends: [allocationID(1): late], now: late) == nil)
        #expect(full.expectedRoom(for: next, ends: [allocationID(9): late], now: epoch) == nil)
        #expect(PlacementCell([]).expectedRoom(for: next, ends: [:], now: epoch) == nil)
    }
}
