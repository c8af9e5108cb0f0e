public import Fleet
internal import Store
internal import VMPlacement

extension PlacementExplainer {
    /// What is known of the placement of a group's members.
    public struct GroupAnswer: Sendable {
        public var status: VMGroupStatus
        /// Place in its cell's queue of the first member that waits; nil when none does.
        public var queuePosition: Int?
        /// Of that member, with its gang when the group is placed whole.
        public var explanation: PlacementExplanation?
    }

    public func answer(forGroup resource: Resource) async throws -> GroupAnswer {
        let group = try VMGroupRecord(resource)
        let members = try await store.members(of: [group.metadata.uid]).map { ($0, try VMRecord($0)) }
        let waiting = members.filter { $0.1.isKept && $0.1.status.allocation == nil }
            .min { $0.1.ordinal < $1.1.ordinal }
        if let waiting {
            let answer = try await answer(for: waiting.0)
            return GroupAnswer(
                status: group.status, queuePosition: answer.queuePosition, explanation: answer.explanation)
        }
        let plan = members.isEmpty ? try await trial(group: resource) : nil
        return GroupAnswer(
            status: group.status, queuePosition: nil, explanation: plan?.report.unplaced.first?.explanation)
    }

    /// The plan for all members of a group that has none yet, in the cell that takes most of them: the dry
    /// run of a creation. Nil when there is no host. Ids in it mean nothing.
    public func trial(group resource: Resource) async throws -> Plan? {
        let group = try VMGroupRecord(resource)
        let now = try await store.now()
        let ids = TrialIDs()
        var cells = Set(try await store.hosts(.all).map(\.cell)).sorted()
        if let cell = group.spec.template.spec.cell { cells = cells.filter { $0 == cell } }
        let members = try (0..<group.spec.replicas).map { ordinal in
            let draft = try group.member(ordinal: ordinal, uid: ID(ids.next()), cell: nil)
            return try VMRecord(draft.resource(createdAt: now))
        }
        var best: Plan?
        for cell in cells {
            let model = try await model(of: cell)
            let plan = VMPlacementPlanner.plan(
                cell: model.placement,
                pending: members.compactMap {
                    $0.request(
                        flavors: model.flavors, clock: model.clock,
                        gang: group.spec.isGang ? members.count : nil)
                },
                inputs: model.trialInputs(now: now), ids: ids
            ).plan
            if plan.report.placed > (best?.report.placed ?? -1) { best = plan }
        }
        return best
    }
}
