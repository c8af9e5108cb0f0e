import Fleet
import Foundation
import Testing
import VMPlacement

/// Random histories of one cell under lifetime-aware policies.
@Suite struct LifetimePropertyTests {
    private struct History {
        var random: SeededRandom
        var cell: PlacementCell
        var now = epoch
        var running: [(id: ID<Allocation>, endsAt: Timestamp)] = []
        var made = 0

        init(seed: UInt64, hosts: Int, model: any LifetimeModel) {
            random = SeededRandom(seed: seed)
            cell = PlacementCell((0..<hosts).map { makeHost($0, vCPU: 16, gibibytes: 64) })
            cell.trackLifetimes(.init(), model: model, now: epoch)
        }

        mutating func step(_ policy: PlacementPolicy) -> PlacementChoice? {
            now = now.advanced(by: .seconds(random.below(1200)))
            for vm in running where vm.endsAt <= now { cell.remove(allocation: vm.id, endedAt: vm.endsAt) }
            running.removeAll { $0.endsAt <= now }
            made += 1
            var request = makeRequest(made, vCPU: 1 + random.below(8), gibibytes: 1 + random.below(16))
            let lifetime = exp(Double(random.below(1400)) / 100)
            request.lifetimeHint = .seconds(lifetime * exp(Double(random.below(200) - 100) / 100))
            cell.advance(to: now, repredicting: policy.repredicts)
            guard let choice = cell.choice(for: request, policy) else { return nil }
            var allocation = choice.allocation(
                for: request, id: allocationID(made), cell: "c", plan: nil, now: now)
            allocation.createdAt = now
            cell.add(
                allocation, lifetime: VMLifetime(features: VMFeatures(request), startedAt: now))
            running.append((allocation.id, now.advanced(by: .seconds(lifetime))))
            return choice
        }
    }

    private static let policies = PlacementPolicy.allCases.filter(\.needsLifetimes)

    @Test(arguments: [1, 2, 3] as [UInt64], policies)
    func statesHoldTogether(seed: UInt64, policy: PlacementPolicy) {
        var history = History(seed: seed, hosts: 12, model: HintModel(spread: 1))
        for _ in 0..<1500 {
            _ = history.step(policy)
            for number in 0..<12 { check(history, hostID(number), seed) }
        }
        #expect(history.made > history.running.count + 100, "seed \(seed): hardly anything ended")
    }

    private func check(_ history: History, _ host: ID<Document>, _ seed: UInt64) {
        guard let kept = history.cell.lifetime(of: host), let room = history.cell.room(of: host) else {
            Issue.record("seed \(seed): no lifetime")
            return
        }
        let isEmpty = room.usedMemoryMiB == 0
        #expect((kept.state == .empty) == isEmpty && (kept.class == nil) == isEmpty, "seed \(seed)")
        #expect((kept.deadline == nil) == isEmpty, "seed \(seed)")
        #expect(room.cpuHolds && room.usedMemoryMiB <= room.total.memoryMiB, "seed \(seed)")
        #expect(kept.residuals.allSatisfy(history.cell.contains), "seed \(seed)")
        #expect(kept.state != .recycling || !kept.residuals.isEmpty, "seed \(seed)")
        #expect(kept.state != .open || kept.residuals.isEmpty, "seed \(seed)")
        // What was predicted at or before now is never before the time at which it was predicted.
        if let deadline = kept.deadline { #expect(deadline > epoch, "seed \(seed)") }
    }

    @Test(arguments: policies)
    func exitsAreNotPastOnceTimeHasMoved(policy: PlacementPolicy) {
        var history = History(seed: 7, hosts: 12, model: HintModel(spread: 1))
        for _ in 0..<500 { _ = history.step(policy) }
        history.cell.advance(to: history.now)
        for number in 0..<12 {
            guard let room = history.cell.room(of: hostID(number)) else { continue }
            let isFull =
                room.consumedMilliCPU == room.total.milliCPU || room.usedMemoryMiB == room.total.memoryMiB
            let exit = history.cell.lifetime(of: hostID(number))?.exit
            if room.usedMemoryMiB > 0, !isFull { #expect(exit.map { $0 >= history.now } == true) }
        }
    }

    @Test(arguments: policies)
    func aHistoryRepeatsItself(policy: PlacementPolicy) {
        func choices() -> [PlacementChoice?] {
            var history = History(seed: 5, hosts: 20, model: HintModel(spread: 0.5))
            return (0..<800).map { _ in history.step(policy) }
        }
        #expect(choices() == choices())
    }

    /// A cell that is rebuilt in any order, with what was remembered, decides as the one that lived through
    /// it.
    @Test(arguments: [1, 2] as [UInt64], [PlacementPolicy.nilas, .lava])
    func aRestartChangesNoDecision(seed: UInt64, policy: PlacementPolicy) {
        var history = History(seed: seed, hosts: 12, model: HintModel(spread: 1))
        for _ in 0..<300 { _ = history.step(policy) }
        history.cell.advance(to: history.now)
        let kept = Dictionary(
            uniqueKeysWithValues: (0..<12).compactMap { number in
                history.cell.lifetime(of: hostID(number)).map { (hostID(number), $0) }
            })
        var again = history
        again.cell.trackLifetimes(.init(), model: HintModel(spread: 1), now: history.now, kept: kept)
        for number in 0..<200 {
            #expect(history.step(policy) == again.step(policy), "seed \(seed), step \(number)")
        }
    }

    @Test func aHostThatComesBackHasItsVMsAgain() {
        var history = History(seed: 9, hosts: 3, model: HintModel(spread: 1))
        for _ in 0..<20 { _ = history.step(.lava) }
        let before = history.cell.lifetime(of: hostID(1))
        history.cell.remove(host: hostID(1))
        #expect(history.cell.lifetime(of: hostID(1)) == nil)
        history.cell.upsert(host: makeHost(1, vCPU: 16, gibibytes: 64))
        #expect((history.cell.lifetime(of: hostID(1))?.class == nil) == (before?.class == nil))
        for _ in 0..<200 { _ = history.step(.lava) }
        for number in 0..<3 { check(history, hostID(number), 9) }
    }
}
