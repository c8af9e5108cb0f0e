import Fleet

/// The groups of one plan as they are made.
struct PlacementBatch {
    let cell: String
    let plan: ID<Plan>
    let inputs: PlacementPlanInputs
    private(set) var groups: [DirectiveGroup] = []
    private(set) var placed = 0
    private(set) var decisions = PoolDecisions()
    private(set) var unplaced: [PlanReport.Unplaced] = []
    /// The policy documents of the pools that VMs were tried in.
    private var documents: [String: PolicyVersion] = [:]
    /// Placing only takes room, so a shape that fitted nowhere fits nowhere for the rest of the plan. What
    /// did not fit behind other members of a gang is not here: their room is given back.
    private var refused: [VMRequest.Shape: PlacementExplanation] = [:]

    init(cell: String, plan: ID<Plan>, inputs: PlacementPlanInputs) {
        self.cell = cell
        self.plan = plan
        self.inputs = inputs
    }

    mutating func place(_ request: VMRequest, on cell: inout PlacementCell, ids: some IDSource) {
        switch take(request, on: &cell, ids: ids, remembering: true) {
        case .success(let directive): accept([directive])
        case .failure(let refusal): refuse(request, refusal.explanation)
        }
    }

    /// Tries the members one by one; the first that does not fit undoes those before it.
    mutating func place(
        gang members: [VMRequest], on cell: inout PlacementCell, ids: some IDSource
    ) {
        // What predictions remember of a host is more than its VMs: giving these back would not restore it.
        let (lifetimes, noted) = (cell.lifetimes, decisions)
        var directives: [AllocateDirective] = []
        for member in members {
            let remembering = directives.isEmpty
            switch take(member, on: &cell, ids: ids, remembering: remembering) {
            case .success(let directive): directives.append(directive)
            case .failure(let refusal):
                for directive in directives.reversed() {
                    cell.remove(allocation: directive.allocation.id)
                }
                if !directives.isEmpty { cell.lifetimes = lifetimes }
                decisions = noted
                var explanation = refusal.explanation
                explanation.gang = .init(
                    group: member.gang?.name ?? "", members: members.count, fitted: directives.count,
                    member: member.workload.name)
                for member in members { refuse(member, explanation) }
                return
            }
        }
        accept(directives)
    }

    /// Takes the room that a request gets, or says why there is none.
    private mutating func take(
        _ request: VMRequest, on cell: inout PlacementCell, ids: some IDSource, remembering: Bool
    ) -> Result<AllocateDirective, NoHostFits> {
        let (policy, document) = (inputs.policy(for: request), inputs.document(for: request))
        if let pool = request.pool { documents[pool] = document }
        let shape = refused.isEmpty ? nil : request.shape
        if let shape, let explanation = refused[shape] { return .failure(NoHostFits(explanation)) }
        let shadow = request.pool.flatMap { inputs.poolShadows[$0] }
        if policy.needsLifetimes || shadow?.needsLifetimes == true {
            cell.advance(to: inputs.fleetNow, repredicting: policy.repredicts || shadow?.repredicts == true)
        }
        guard case .place(let choice) = cell.place(request, policy: policy) else {
            let explanation = cell.explain(request, policy: policy)
            if remembering { refused[shape ?? request.shape] = explanation }
            return .failure(NoHostFits(explanation))
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
        return .success(
            AllocateDirective(
                allocation: allocation, workloadGeneration: request.workloadGeneration,
                hostGeneration: choice.hostGeneration,
                message: "placed on host \(choice.hostName) by \(policy.rawValue)"
                    + "\(followed == policy ? "" : ", now \(followed.rawValue)")\(document?.words ?? "")",
                lifetime: predicted))
    }

    /// By pool; nil when none goes by a document.
    var policies: [PlanReport.PoolPolicy]? {
        guard !documents.isEmpty else { return nil }
        return documents.sorted { $0.key < $1.key }.map { .init(pool: $0.key, policy: $0.value) }
    }

    private mutating func accept(_ directives: [AllocateDirective]) {
        groups.append(DirectiveGroup(directives.map(Directive.allocate)))
        placed += directives.count
    }

    private mutating func refuse(_ request: VMRequest, _ explanation: PlacementExplanation) {
        unplaced.append(
            .init(
                project: request.workload.project, name: request.workload.name, explanation: explanation))
    }
}

/// Why a request is left without a host.
private struct NoHostFits: Error {
    var explanation: PlacementExplanation

    init(_ explanation: PlacementExplanation) { self.explanation = explanation }
}

extension PolicyVersion {
    /// Such as ` (policy dense version 2)`.
    fileprivate var words: String { " (policy \(name) version \(version))" }
}
