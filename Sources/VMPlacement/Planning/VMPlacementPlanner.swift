public import Fleet

/// Places a queue of VMs, a group for each, or for each gang: pure, so the controller, dry runs and
/// simulations share it.
public enum VMPlacementPlanner {
    /// Plans on a copy.
    ///
    /// - Parameters:
    ///   - cell: the snapshot; not changed.
    ///   - pending: VMs without an allocation, in any order; they are placed by `queuedAt`, then uid. A gang
    ///     has the place of its earliest member, and waits for a later plan when not all of it is here.
    ///   - inputs: policy, time, seed, parent and limit.
    ///   - ids: the plan's id is taken first, then one per VM that a host was found for.
    /// - Returns: the plan and the cell as it is once every group has committed.
    public static func plan(
        cell: PlacementCell, pending: [VMRequest], inputs: PlacementPlanInputs, ids: some IDSource
    ) -> (plan: Plan, cell: PlacementCell) {
        var cell = cell
        let plan = plan(on: &cell, pending: pending, inputs: inputs, ids: ids)
        return (plan, cell)
    }

    /// Plans in place: `cell` carries the planned allocations afterwards. Groups that the ledger rejects are
    /// taken back with `PlacementCell.remove(allocation:)`.
    public static func plan(
        on cell: inout PlacementCell, pending: [VMRequest], inputs: PlacementPlanInputs, ids: some IDSource
    ) -> Plan {
        let queue = pending.sorted(by: VMRequest.precedes)
        let hash = inputsHash(cell: cell, queue: queue, inputs: inputs)
        let id = ID<Plan>(ids.next())
        var batch = PlacementBatch(cell: cell.name, plan: id, inputs: inputs)
        for unit in PlacementUnit.units(of: queue) {
            guard batch.placed < inputs.maxGroups else { break }
            switch unit {
            case .single(let request): batch.place(request, on: &cell, ids: ids)
            case .gang(let members): batch.place(gang: members, on: &cell, ids: ids)
            }
        }
        let report = PlanReport(
            policy: inputs.policy.rawValue, policies: batch.policies, lifetimes: batch.decisions.report,
            hosts: cell.hostCount, placed: batch.placed, unplaced: batch.unplaced)
        return Plan(
            id: id, cell: cell.name, engine: .vmPlacement, parent: inputs.parent, inputsHash: hash,
            seed: inputs.seed, groups: batch.groups, report: report, createdAt: inputs.now)
    }

    private static func inputsHash(
        cell: PlacementCell, queue: [VMRequest], inputs: PlacementPlanInputs
    ) -> String {
        var hash = StableHash()
        cell.combine(into: &hash)
        hash.combine(inputs.policy.rawValue)
        for (pool, policy) in inputs.poolPolicies.sorted(by: { $0.key < $1.key }) {
            hash.combine(pool)
            hash.combine(policy.rawValue)
        }
        for (pool, document) in inputs.poolDocuments.sorted(by: { $0.key < $1.key }) {
            hash.combine(pool)
            hash.combine(document.name)
            hash.combine(document.version)
        }
        for (pool, policy) in inputs.poolShadows.sorted(by: { $0.key < $1.key }) {
            hash.combine(pool)
            hash.combine(policy.rawValue)
        }
        hash.combine(inputs.seed)
        hash.combine(inputs.maxGroups)
        for request in queue {
            HostKey(request.workload.uid).combine(into: &hash)
            hash.combine(request.workloadGeneration)
            if let gang = request.gang {
                HostKey(gang.group).combine(into: &hash)
                hash.combine(gang.ordinal)
                hash.combine(gang.count)
            }
        }
        return hash.text
    }
}
