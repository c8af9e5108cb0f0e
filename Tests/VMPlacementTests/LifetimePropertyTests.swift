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

        init(seed: UInt64, hosts: Int, model: any LifetimeModel, ladder: LifetimeLadder = .paper) {
            random = SeededRandom(seed: seed)
            cell = PlacementCell((0..<hosts).map { makeHost($0, vCPU: 16, gibibytes: 64) })
            cell.trackLifetimes(LifetimeSettings(ladder: ladder), model: model, now: epoch)
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
        var history = History(seed: seed, hosts: 12, model: HintModel(spread: 1), ladder: policy.ladder)
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
        var history = History(
            seed: 7, hosts: 12, model: HintModel(spread: 1), ladder: policy.ladder)
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
            var history = History(
                seed: 5, hosts: 20, model: HintModel(spread: 0.5), ladder: policy.ladder)
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

    /// What a store keeps: notes replace, arrivals are added to them.
    private struct Written {
        var cell: CellLifetimes?
        var hosts: [ID<Document>: LifetimeMemory.Host] = [:]

        mutating func write(_ notes: LifetimeNotes?) {
            guard let notes else { return }
            cell = notes.cell
            for (host, kept) in notes.hosts { hosts[host] = .init(kept: kept, arrivals: []) }
        }

        mutating func add(_ directive: AllocateDirective) {
            guard let lifetime = directive.lifetime else { return }
            hosts[directive.allocation.host, default: .init(kept: nil, arrivals: [])].arrivals
                .append(.init(allocation: directive.allocation.id, lifetime: lifetime))
        }
    }

    /// A controller's memory of lifetimes beside what it wrote down, hour after hour.
    private struct KeptAndWritten {
        var random: SeededRandom
        let hosts = (0..<8).map { makeHost($0, vCPU: 16, gibibytes: 64) }
        let model = HintModel(spread: 1)
        let ids = CountingIDs()
        var cell: PlacementCell
        var written = Written()
        var running: [(allocation: Allocation, request: VMRequest, endsAt: Timestamp)] = []
        var now = epoch
        var made = 0

        init(seed: UInt64) {
            random = SeededRandom(seed: seed)
            cell = PlacementCell(hosts)
            cell.trackLifetimes(.init(), model: model, now: epoch, memory: LifetimeMemory())
        }

        /// Plans a few VMs; the ledger refuses a fifth of them.
        mutating func place() {
            now = now.advanced(by: .seconds(random.below(3600)))
            cell.advance(to: now, repredicting: false)
            let requests = (0..<random.below(4)).map { _ in
                made += 1
                var request = makeRequest(made, vCPU: 1 + random.below(8), gibibytes: 1 + random.below(16))
                request.lifetimeHint = .seconds(exp(Double(random.below(1400)) / 100))
                return request
            }
            let trial = cell.lifetimeTrial
            let plan = VMPlacementPlanner.plan(
                on: &cell, pending: requests, inputs: .init(policy: .lava, now: now), ids: ids)
            let directives = plan.groups.flatMap(\.directives).compactMap { directive in
                if case .allocate(let directive) = directive { directive } else { nil }
            }
            let planned = Set(directives.map(\.allocation.host))
            written.write(cell.takeLifetimeNotes(at: trial, for: planned, limit: 1))
            var (refused, accepted) = (Set<ID<Document>>(), [LifetimeMemory.Arrival]())
            for directive in directives {
                let id = directive.allocation.id
                if random.below(5) == 0 {
                    cell.remove(allocation: id)
                    refused.insert(directive.allocation.host)
                    continue
                }
                written.add(directive)
                if let lifetime = directive.lifetime {
                    accepted.append(.init(allocation: id, lifetime: lifetime))
                }
                if let request = requests.first(where: { $0.workload == directive.allocation.workload }) {
                    let lived = exp(Double(random.below(1400)) / 100)
                    running.append((directive.allocation, request, now.advanced(by: .seconds(lived))))
                }
            }
            cell.takeBackLifetimes(of: refused, to: trial, accepted: accepted)
        }

        /// Some VMs end, of which nothing is written when the controller dies.
        /// - Returns: the cell as the next controller makes it.
        mutating func die() -> PlacementCell {
            let later = now.advanced(by: .seconds(random.below(3600)))
            var memory = LifetimeMemory(cell: written.cell, hosts: written.hosts)
            let ends = running.filter { $0.endsAt <= later }.sorted {
                ($0.endsAt, $0.allocation.id) < ($1.endsAt, $1.allocation.id)
            }
            for vm in ends {
                cell.remove(allocation: vm.allocation.id, endedAt: vm.endsAt)
                memory.departures[vm.allocation.id] = .init(at: vm.endsAt, hasEnded: true)
            }
            running.removeAll { $0.endsAt <= later }
            var again = PlacementCell(hosts)
            for vm in running.reversed() {
                let lifetime = VMLifetime(
                    features: VMFeatures(vm.request), startedAt: vm.allocation.createdAt)
                again.add(vm.allocation, lifetime: lifetime)
            }
            again.trackLifetimes(.init(), model: model, now: now, memory: memory)
            return again
        }
    }

    /// Kept in a controller's memory, and rebuilt from what it wrote down and from the ledger: the same,
    /// whenever it dies. Groups are refused now and then, and VMs end of which nothing is written yet.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func whatIsRebuiltIsWhatWasKept(seed: UInt64) {
        var history = KeptAndWritten(seed: seed)
        var states: Set<HostLifetime.State> = []
        for step in 0..<400 {
            history.place()
            let again = history.die()
            let cell = history.cell
            for number in 0..<8 {
                guard var kept = cell.lifetime(of: hostID(number)),
                    var rebuilt = again.lifetime(of: hostID(number))
                else { continue }
                states.insert(kept.state)
                // A prediction, made again when it is asked for.
                (kept.exit, rebuilt.exit) = (nil, nil)
                #expect(kept == rebuilt, "seed \(seed), step \(step), host \(number)")
            }
            #expect(cell.classAccuracy == again.classAccuracy, "seed \(seed), step \(step)")
            #expect(cell.followed(.gatedLava) == again.followed(.gatedLava), "seed \(seed), step \(step)")
        }
        #expect(
            states == [.empty, .open, .recycling] && history.cell.classAccuracy?.share != nil,
            "seed \(seed)")
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
