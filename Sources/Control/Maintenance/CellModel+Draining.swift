internal import Fleet
internal import Store
internal import VMPlacement

/// How a drain goes about it, at a moment of fleet time.
struct DrainTerms {
    var drain = DrainSpec()
    var opening = MaintenanceSchedule.State.open(until: nil)
    var rules = MigrationRules()
    var now: Timestamp

    var isPastDeadline: Bool { drain.deadline.map { $0 <= now } ?? false }
    var isStopping: Bool { isPastDeadline && drain.atDeadline == .stop }
    var isOpen: Bool {
        if case .closed = opening { return isStopping || drain.force == true }
        return true
    }
    var isDefragmentation: Bool { drain.purpose == .defragmentation }
}

extension CellModel {
    /// The annotation with which an owner keeps a VM where it is, until a deadline that stops.
    static let doNotDisrupt = "basalt/do-not-disrupt"
    /// As `doNotDisrupt`, of a VM that may stop and may not move.
    static let doNotMigrate = "basalt/do-not-migrate"

    func drainTerms(of spec: HostSpec, now: Timestamp) -> DrainTerms {
        let opening = MaintenanceSchedule.state(spec.maintenance ?? pools[spec.pool]?.maintenance, at: now)
        return DrainTerms(
            drain: spec.drain ?? DrainSpec(), opening: opening,
            rules: pools[spec.pool]?.migrations ?? MigrationRules(), now: now)
    }

    /// A round of the planner over hosts that drain, and what is said of each.
    ///
    /// - Parameters:
    ///   - clock: of the fleet.
    ///   - explained: VMs of a host that are told why no host takes them.
    func drainRound(
        _ draining: [(host: HostRecord, terms: DrainTerms)], planner: inout DrainPlanner, clock: FleetClock,
        explained: Int = 8
    ) -> (decisions: [ID<Document>: DrainDecision], after: PlacementCell) {
        guard let now = draining.first?.terms.now else { return ([:], placement) }
        let (hosts, terms) = drainInputs(draining, clock: clock, explained: explained, now: now)
        let round = planner.plan(hosts, on: placement, terms: terms)
        let decisions = round.decisions.map { ($0.host, $0) }
        return (Dictionary(decisions, uniquingKeysWith: { first, _ in first }), round.after)
    }

    /// Hosts and terms as the planner takes them.
    func drainInputs(
        _ draining: [(host: HostRecord, terms: DrainTerms)], clock: FleetClock, explained: Int, now: Timestamp
    ) -> ([DrainingHost], DrainPlanner.Terms) {
        let budgets = disruptionBudgets()
        let hosts = draining.map { host, terms in
            drainingHost(host, terms: terms, budgets: budgets, clock: clock)
        }
        var underWay: [String: Int] = [:]
        for id in standbys {
            guard let target = allocations[id], let pool = self.hosts[target.host]?.pool else { continue }
            underWay[pool, default: 0] += 1
        }
        let policies = pools.keys.reduce(into: [:]) { $0[$1] = placementPolicy(ofPool: $1) }
        return (
            hosts,
            .init(
                now: now, policies: policies, underWay: underWay, budgets: budgets.map(\.left),
                explained: explained)
        )
    }

    private func drainingHost(
        _ host: HostRecord, terms: DrainTerms, budgets: [PoolBudget], clock: FleetClock
    ) -> DrainingHost {
        let allocations = allocations(on: host.id)
        var vms: [DrainingVM] = []
        for allocation in allocations where allocation.isMovable {
            guard let vm = self.vms[allocation.workload.uid], vm.metadata.deletionTimestamp == nil else {
                continue
            }
            let lifetime = lifetime(of: allocation)
            var request = vm.request(flavors: flavors, clock: self.clock)
            // What runs moves as it is, whatever its flavor says by now.
            request?.resources = allocation.resources
            request?.class = allocation.class
            request?.startedAt = lifetime.startedAt
            let under = budgets.indices.filter { budgets[$0].pool == host.pool && budgets[$0].covers(vm) }
            let moved = allocation.arrival == nil ? nil : clock.time(at: allocation.createdAt)
            vms.append(
                DrainingVM(
                    allocation: allocation.id, workload: allocation.workload, request: request,
                    lifetime: lifetime, pinned: pin(of: vm), movedAt: moved, budgets: under))
        }
        let underWay = allocations.count { $0.state == .releasing || $0.departure != nil }
        return DrainingHost(
            id: host.id, name: host.name, pool: host.pool, vms: vms, left: allocations.count,
            underWay: underWay, slots: terms.drain.maxParallel, isOpen: terms.isOpen, due: terms.drain.due,
            stopsTheRest: terms.isStopping, coolsDown: terms.isDefragmentation, rules: terms.rules)
    }

    private func pin(of vm: VMRecord) -> DrainPreview.Blocked? {
        func isSet(_ key: String) -> Bool {
            vm.metadata.annotations[key] == "true" || vm.metadata.labels[key] == "true"
        }
        let pins: [(String, Reason, String)] = [
            (Self.doNotDisrupt, .doNotDisrupt, "its owner asks not to disrupt it"),
            (Self.doNotMigrate, .doNotMigrate, "its owner asks not to move it"),
        ]
        guard let (key, reason, message) = pins.first(where: { isSet($0.0) }) else { return nil }
        return DrainPreview.Blocked(
            project: vm.metadata.project ?? "", name: vm.metadata.name, reason: reason, message: message,
            nearestFix: "remove \(key) from it, or drain with a deadline and --at-deadline stop")
    }

    /// Budgets of all pools, in the order of the pools' names.
    private func disruptionBudgets() -> [PoolBudget] {
        pools.sorted { $0.key < $1.key }.flatMap { name, spec in
            (spec.disruptionBudgets ?? []).map { budget in
                PoolBudget(
                    pool: name, budget: budget,
                    left: budget.maxDisrupted - disrupted(under: budget, pool: name))
            }
        }
    }

    /// VMs of the pool under a budget that do not run now, for whatever reason, or are about to be moved.
    private func disrupted(under budget: DisruptionBudget, pool: String) -> Int {
        vms.values.count { vm in
            guard vm.metadata.deletionTimestamp == nil, (vm.spec.pool ?? pool) == pool,
                budget.covers(project: vm.metadata.project ?? "", labels: vm.metadata.labels)
            else { return false }
            guard let writer = writer(of: vm.metadata.uid) else { return true }
            return writer.state != .active || writer.departure != nil || hosts[writer.host]?.contact != .ready
        }
    }
}

private struct PoolBudget {
    var pool: String
    var budget: DisruptionBudget
    /// VMs that may yet be disrupted.
    var left: Int

    func covers(_ vm: VMRecord) -> Bool {
        budget.covers(project: vm.metadata.project ?? "", labels: vm.metadata.labels)
    }
}

extension Allocation {
    /// Whether it writes for a part that could go elsewhere, and does not do so yet.
    fileprivate var isMovable: Bool {
        !quarantined && !isStandby && departure == nil && (state == .reserved || state == .active)
    }
}
