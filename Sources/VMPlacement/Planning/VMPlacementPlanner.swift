public import Fleet

/// Places a queue of VMs, one group each: pure, so the controller, dry runs and simulations share it.
public enum VMPlacementPlanner {
    /// Plans on a copy.
    ///
    /// - Parameters:
    ///   - cell: the snapshot; not changed.
    ///   - pending: VMs without an allocation, in any order; they are placed by `queuedAt`, then uid.
    ///   - inputs: policy, time, seed, parent and limit.
    ///   - ids: the plan's id is taken first, then one per placed VM.
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
        var documents: [String: PolicyVersion] = [:]
        for request in queue {
            guard batch.groups.count < inputs.maxGroups else { break }
            let document = inputs.document(for: request)
            if let pool = request.pool { documents[pool] = document }
            batch.place(request, on: &cell, document: document, ids: ids)
        }
        let policies = documents.sorted { $0.key < $1.key }
            .map { PlanReport.PoolPolicy(pool: $0.key, policy: $0.value) }
        let report = PlanReport(
            policy: inputs.policy.rawValue, policies: policies.isEmpty ? nil : policies,
            lifetimes: batch.decisions.report, hosts: cell.hostCount, placed: batch.groups.count,
            unplaced: batch.unplaced)
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
        }
        return hash.text
    }
}

/// The groups of one plan as they are made.
private struct PlacementBatch {
    let cell: String
    let plan: ID<Plan>
    let inputs: PlacementPlanInputs
    var groups: [DirectiveGroup] = []
    var decisions = PoolDecisions()
    var unplaced: [PlanReport.Unplaced] = []
    /// Placing only takes room, so a shape that fitted nowhere fits nowhere for the rest of the plan.
    private var refused: [VMRequest.Shape: PlacementExplanation] = [:]

    init(cell: String, plan: ID<Plan>, inputs: PlacementPlanInputs) {
        self.cell = cell
        self.plan = plan
        self.inputs = inputs
    }

    mutating func place(
        _ request: VMRequest, on cell: inout PlacementCell, document: PolicyVersion?, ids: some IDSource
    ) {
        let policy = inputs.policy(for: request)
        let shape = refused.isEmpty ? nil : request.shape
        if let shape, let explanation = refused[shape] {
            refuse(request, explanation)
            return
        }
        let shadow = request.pool.flatMap { inputs.poolShadows[$0] }
        if policy.needsLifetimes || shadow?.needsLifetimes == true {
            cell.advance(to: inputs.fleetNow, repredicting: policy.repredicts || shadow?.repredicts == true)
        }
        guard case .place(let choice) = cell.place(request, policy: policy) else {
            let explanation = cell.explain(request, policy: policy)
            refused[shape ?? request.shape] = explanation
            refuse(request, explanation)
            return
        }
        let allocation = choice.allocation(
            for: request, id: ID(ids.next()), cell: self.cell, plan: plan, now: inputs.now)
        decisions.note(request, on: choice.host, of: cell, inputs: inputs)
        let followed = cell.followed(policy)
        let predicted = cell.add(
            allocation,
            lifetime: VMLifetime(
                features: VMFeatures(request), startedAt: request.startedAt ?? inputs.fleetNow),
            at: inputs.fleetNow)
        let directive = AllocateDirective(
            allocation: allocation, workloadGeneration: request.workloadGeneration,
            hostGeneration: choice.hostGeneration,
            message: "placed on host \(choice.hostName) by \(policy.rawValue)"
                + "\(followed == policy ? "" : ", now \(followed.rawValue)")\(document?.words ?? "")",
            lifetime: predicted)
        groups.append(DirectiveGroup([.allocate(directive)]))
    }

    private mutating func refuse(_ request: VMRequest, _ explanation: PlacementExplanation) {
        unplaced.append(
            .init(
                project: request.workload.project, name: request.workload.name, explanation: explanation))
    }
}

extension PolicyVersion {
    /// Such as ` (policy dense version 2)`.
    fileprivate var words: String { " (policy \(name) version \(version))" }
}
