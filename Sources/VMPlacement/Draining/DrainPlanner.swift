public import Fleet

/// Decides which VMs of hosts that are to be emptied move next, and where: LARS (Ling et al., MLSys 2025).
///
/// The longest predicted remaining lifetime goes first, so that short VMs end by themselves while the slots
/// are busy; targets are what the pool's placement policy chooses, so that a moved VM extends no host more
/// than it must, and never a host that is being emptied itself. A VM that fits nowhere else stays where it
/// is, and is reported: a drain turns no running VM into a waiting one as long as that can be seen
/// beforehand.
///
/// A value; the same rounds decide in a cell, in a dry run, and, without targets, in `HostDrain`.
public struct DrainPlanner: Sendable {
    /// What a round goes by beside the hosts.
    public struct Terms: Sendable {
        /// Fleet time.
        public var now: Timestamp
        /// Policies of pools; best fit for others, and for VMs of any pool.
        public var policies: [String: PlacementPolicy]
        /// VMs of each pool that are on their way already, from whatever host.
        public var underWay: [String: Int]
        /// VMs that may yet be disrupted, by budget.
        public var budgets: [Int]
        /// VMs of a host that are told why no host takes them: each costs a walk over the hosts.
        public var explained: Int

        public init(
            now: Timestamp, policies: [String: PlacementPolicy] = [:], underWay: [String: Int] = [:],
            budgets: [Int] = [], explained: Int = 8
        ) {
            self.now = now
            self.policies = policies
            self.underWay = underWay
            self.budgets = budgets
            self.explained = explained
        }
    }

    /// What is kept of a host from round to round.
    private struct Memory: Sendable {
        var queue: DrainQueue
        var numbers: [ID<Allocation>: Int] = [:]
    }

    private var memories: [ID<Document>: Memory] = [:]

    public init() {}

    /// One round. Hosts that are due first come first, then those with the lowest id: with few slots in the
    /// pool they are emptied one after another.
    ///
    /// - Parameter cell: with every allocation; the hosts themselves need not be closed to placements.
    /// - Returns: a decision for every host, in the order of ids; and the cell as it would be after all
    ///   moves.
    public mutating func plan(
        _ hosts: [DrainingHost], on cell: PlacementCell, terms: Terms
    ) -> (decisions: [DrainDecision], after: PlacementCell) {
        let known = Set(hosts.map(\.id))
        memories = memories.filter { known.contains($0.key) }
        var round = DrainRound(cell: cell, terms: terms)
        for host in hosts { round.cell.close(host.id) }
        let far = Timestamp(microseconds: .max)
        let ordered = hosts.sorted { ($0.due ?? far, $0.id) < ($1.due ?? far, $1.id) }
        let decisions = ordered.map { host in
            let (order, vms) = sorted(host, predictor: cell.lifetimes?.predictor, now: terms.now)
            return round.decide(host, vms: vms, order: order, predictor: cell.lifetimes?.predictor)
        }
        return (decisions.sorted { $0.host < $1.host }, round.cell)
    }

    /// The VMs in the order in which they move. Without predictions the oldest go first.
    private mutating func sorted(
        _ host: DrainingHost, predictor: LifetimePredictor?, now: Timestamp
    ) -> (DrainOrder, [DrainingVM]) {
        let order: DrainOrder = predictor == nil || host.rules.order == .oldestFirst ? .creation : .lars
        let fresh = Memory(queue: DrainQueue(order: order, resortEvery: host.rules.resortInterval))
        var memory = memories[host.id] ?? fresh
        if memory.queue.order != order || memory.queue.resortEvery != fresh.queue.resortEvery {
            memory = fresh
        }
        var byNumber: [Int: DrainingVM] = [:]
        let candidates = host.vms.sorted { $0.allocation < $1.allocation }.map { vm in
            let number = memory.numbers[vm.allocation] ?? memory.numbers.count
            memory.numbers[vm.allocation] = number
            byNumber[number] = vm
            return DrainCandidate(number: number, lifetime: vm.lifetime)
        }
        let sorted = memory.queue.sorted(
            candidates, now: now, predictor: predictor ?? LifetimePredictor(HintModel(spread: 0), cap: nil))
        memories[host.id] = memory
        return (order, sorted.compactMap { byNumber[$0.number] })
    }
}

/// A round under way: the cell as it would be after the moves so far, so that two VMs are not promised the
/// same room.
private struct DrainRound {
    var cell: PlacementCell
    private var underWay: [String: Int]
    private var budgets: [Int]
    private let terms: DrainPlanner.Terms
    private var explained = 0

    init(cell: PlacementCell, terms: DrainPlanner.Terms) {
        self.cell = cell
        self.terms = terms
        underWay = terms.underWay
        budgets = terms.budgets
    }

    mutating func decide(
        _ host: DrainingHost, vms: [DrainingVM], order: DrainOrder, predictor: LifetimePredictor?
    ) -> DrainDecision {
        var decision = DrainDecision(host: host.id, left: host.left, order: order)
        decision.waitsUntil = waitsUntil(host, vms.count)
        let isOpen = host.isOpen && decision.waitsUntil == nil
        var free = max(0, host.slots - host.underWay)
        explained = terms.explained
        for vm in vms {
            switch target(of: vm, on: host) {
            case .failure(let refusal):
                if host.stopsTheRest, isOpen {
                    if free > 0 {
                        free -= 1
                        decision.stops.append(vm.allocation)
                    }
                } else {
                    decision.blocked.append(refusal.blocked)
                }
            case .success(let found):
                let hasSlot = free > 0 && underWay[host.pool, default: 0] < host.rules.poolSlots
                let begins = isOpen && hasSlot
                let place = decision.moves.count + host.underWay
                let turn = host.rules.moveLength * Double(place / max(1, host.slots))
                let age = terms.now.since(vm.lifetime.startedAt).inSeconds
                decision.moves.append(
                    .init(
                        vm: vm, request: found.request, target: found.choice, begins: begins, turn: turn,
                        remaining: predictor?.remaining(uptime: age, of: vm.lifetime.features)))
                guard begins else { continue }
                free -= 1
                underWay[host.pool, default: 0] += 1
                for budget in vm.budgets { budgets[budget] -= 1 }
            }
        }
        return decision
    }

    /// Slack is what is left until the host is due, less the time that moving everything would take.
    private func waitsUntil(_ host: DrainingHost, _ movable: Int) -> Timestamp? {
        guard let due = host.due else { return nil }
        let left = Double(movable + host.underWay)
        let latest = due.advanced(by: .zero - host.rules.moveLength * (left / Double(max(1, host.slots))))
        return latest > terms.now ? latest : nil
    }

    private struct Refusal: Error { var blocked: DrainPreview.Blocked }

    private typealias Found = (request: VMRequest, choice: PlacementChoice)

    /// Finds a target and takes its room.
    private mutating func target(
        of vm: DrainingVM, on host: DrainingHost
    ) -> Result<(request: VMRequest, choice: PlacementChoice), Refusal> {
        func refused(_ reason: Reason, _ message: String, _ fix: String?) -> Result<Found, Refusal> {
            .failure(
                Refusal(
                    blocked: .init(
                        project: vm.workload.project, name: vm.workload.name, reason: reason,
                        message: message,
                        nearestFix: fix)))
        }
        if !host.stopsTheRest {
            if let pinned = vm.pinned { return .failure(Refusal(blocked: pinned)) }
            if host.coolsDown, let ends = vm.movedAt?.advanced(by: host.rules.coolDown), terms.now < ends {
                return refused(.coolingDown, "it moved lately, and stays until \(ends)", nil)
            }
        }
        guard let request = vm.request else { return refused(.noHostFits, "its flavor is gone", nil) }
        let policy = request.pool.flatMap { terms.policies[$0] } ?? .bestFit
        // It is not in its own way, neither by its group nor by what it takes.
        cell.remove(allocation: vm.allocation)
        if policy.needsLifetimes { cell.advance(to: terms.now, repredicting: policy.repredicts) }
        guard case .place(let choice) = cell.place(request, policy: policy) else {
            defer { stay(vm, request, on: host.id) }
            guard explained > 0 else { return refused(.noHostFits, "no other host takes it", nil) }
            explained -= 1
            let explanation = cell.explain(request, policy: policy)
            return refused(.noHostFits, explanation.sentence, explanation.nearestFix)
        }
        if !host.stopsTheRest, vm.budgets.contains(where: { budgets[$0] < 1 }) {
            stay(vm, request, on: host.id)
            return refused(
                .budgetExhausted, "as many workloads of its disruption budget are down as may be",
                "wait until one of them runs, or raise the budget of the pool")
        }
        cell.add(
            choice.allocation(
                for: request, id: vm.allocation, cell: cell.name, plan: nil, now: terms.now),
            lifetime: vm.lifetime, at: terms.now)
        return .success((request, choice))
    }

    /// Puts a VM back that found no target. Its devices do not matter, as its host takes nothing any more.
    private mutating func stay(_ vm: DrainingVM, _ request: VMRequest, on host: ID<Document>) {
        let choice = PlacementChoice(host: host, hostName: "", hostGeneration: 0)
        cell.add(
            choice.allocation(for: request, id: vm.allocation, cell: cell.name, plan: nil, now: terms.now),
            lifetime: vm.lifetime, at: terms.now)
    }
}

extension PlacementCell {
    /// Lets a host take nothing any more.
    mutating func close(_ host: ID<Document>) {
        guard let slot = hosts.slot(of: HostKey(host)) else { return }
        hosts.update(slot) { $0.refusal = .hostCordoned }
    }
}
