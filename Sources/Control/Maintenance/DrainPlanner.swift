internal import Fleet
internal import Store
internal import VMPlacement

/// Decides which VMs of a draining host are stopped next: those that another host can take now, a few at a
/// time.
///
/// A VM that fits nowhere else is left alone and reported, so that a drain never turns a running VM into a
/// pending one while it can be seen beforehand; unless the drain's deadline has passed and it says to stop.
enum DrainPlanner {
    /// The annotation with which an owner keeps a VM where it is, until a deadline that stops.
    static let doNotDisrupt = "basalt/do-not-disrupt"

    /// How a drain goes about it, at a moment of fleet time.
    struct Terms {
        var drain = DrainSpec()
        var opening = MaintenanceSchedule.State.open(until: nil)
        /// VMs of the host that may be stopping or waiting for their new place at once, unless `drain` says.
        var slots: Int
        var now: Timestamp
        /// VMs that are told why no host takes them; a drain looks again every second, and each costs a walk
        /// over the hosts.
        var explained = 8

        var isPastDeadline: Bool { drain.deadline.map { $0 <= now } ?? false }
        var isStopping: Bool { isPastDeadline && drain.atDeadline == .stop }
        var isOpen: Bool {
            if case .closed = opening { return isStopping || drain.force == true }
            return true
        }
    }

    struct Decision: Equatable {
        var releases: [ReleaseDirective] = []
        var moves: [DrainPreview.Move] = []
        var blocked: [DrainPreview.Blocked] = []
        /// Allocations still on the host, moving ones included.
        var left = 0
        /// When the next maintenance window opens; nil while moving is allowed.
        var opensAt: Timestamp?
        var isClosed = false
        var isPastDeadline = false
    }

    static func decide(host: HostRecord, model: CellModel, terms: Terms) -> Decision {
        var decision = Decision()
        decision.isPastDeadline = terms.isPastDeadline
        decision.isClosed = !terms.isOpen
        if !terms.isOpen, case .closed(let opens) = terms.opening { decision.opensAt = opens }
        let allocations = model.allocations(on: host.id)
        decision.left = allocations.count
        var trial = Trial(host: host, model: model, explained: terms.explained)
        var free = (terms.drain.maxParallel ?? terms.slots) - allocations.count { $0.state == .releasing }
        for allocation in allocations where allocation.state != .releasing && !allocation.quarantined {
            guard let vm = model.vms[allocation.workload.uid], vm.metadata.deletionTimestamp == nil else {
                continue
            }
            let message: String
            if terms.isStopping {
                message = "the deadline of the drain of \(host.name) has passed"
            } else {
                switch trial.move(allocation, of: vm, model: model) {
                case .failure(let blocked):
                    decision.blocked.append(blocked)
                    continue
                case .success(let move):
                    decision.moves.append(move)
                    message = "host \(host.name) is drained; \(move.to) has room"
                }
            }
            guard free > 0, terms.isOpen else { continue }
            free -= 1
            trial.disrupt(vm)
            decision.releases.append(
                ReleaseDirective(allocation: allocation.id, reason: .hostDrained, message: message))
        }
        return decision
    }

    /// The cell as it would be after the moves so far, so that two VMs are not promised the same room.
    private struct Trial {
        private var placement: PlacementCell
        private var budgets: [(budget: DisruptionBudget, left: Int)]
        private var explained: Int

        init(host: HostRecord, model: CellModel, explained: Int) {
            self.explained = explained
            placement = model.placement
            var drained = host
            drained.draining = true
            placement.upsert(host: model.snapshot(drained))
            budgets = (model.pools[host.pool]?.disruptionBudgets ?? []).map { budget in
                (budget, budget.maxDisrupted - model.disrupted(under: budget, pool: host.pool))
            }
        }

        enum Outcome {
            case success(DrainPreview.Move)
            case failure(DrainPreview.Blocked)
        }

        mutating func move(_ allocation: Allocation, of vm: VMRecord, model: CellModel) -> Outcome {
            let workload = allocation.workload
            func blocked(_ reason: Reason, _ message: String, _ fix: String?) -> Outcome {
                .failure(
                    DrainPreview.Blocked(
                        project: workload.project, name: workload.name, reason: reason, message: message,
                        nearestFix: fix))
            }
            if vm.metadata.annotations[doNotDisrupt] == "true" {
                return blocked(
                    .doNotDisrupt, "its owner asks not to disrupt it",
                    "remove the annotation \(doNotDisrupt), or drain with a deadline and --at-deadline stop")
            }
            guard let request = vm.request(flavors: model.flavors) else {
                return blocked(.noHostFits, "its flavor is gone", nil)
            }
            let policy = model.placementPolicy(ofPool: request.pool)
            guard case .place(let choice) = placement.place(request, policy: policy) else {
                guard explained > 0 else { return blocked(.noHostFits, "no other host takes it", nil) }
                explained -= 1
                let explanation = placement.explain(request, policy: policy)
                return blocked(.noHostFits, explanation.sentence, explanation.nearestFix)
            }
            if let spent = budgets.first(where: { $0.left < 1 && $0.budget.covers(vm) })?.budget {
                return blocked(
                    .budgetExhausted, "\(spent.maxDisrupted) workloads of its disruption budget are down",
                    "wait until one of them runs, or raise the budget of the pool")
            }
            var standIn = allocation
            standIn.id = ID(allocation.workload.uid.uuid)
            standIn.host = choice.host
            standIn.devices = choice.devices
            placement.add(standIn)
            return .success(
                DrainPreview.Move(project: workload.project, name: workload.name, to: choice.hostName))
        }

        mutating func disrupt(_ vm: VMRecord) {
            for index in budgets.indices where budgets[index].budget.covers(vm) { budgets[index].left -= 1 }
        }
    }
}

extension DisruptionBudget {
    fileprivate func covers(_ vm: VMRecord) -> Bool {
        covers(project: vm.metadata.project ?? "", labels: vm.metadata.labels)
    }
}

extension CellModel {
    /// VMs of the pool under a budget that do not run now, for whatever reason.
    fileprivate func disrupted(under budget: DisruptionBudget, pool: String) -> Int {
        vms.values.count { vm in
            guard vm.metadata.deletionTimestamp == nil, budget.covers(vm), (vm.spec.pool ?? pool) == pool
            else {
                return false
            }
            guard let writer = writer(of: vm.metadata.uid) else { return true }
            return writer.state != .active || hosts[writer.host]?.contact != .ready
        }
    }
}
