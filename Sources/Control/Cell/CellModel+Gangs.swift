internal import Fleet
internal import VMPlacement

/// Groups that are placed whole: which of their members wait, and whether all that shall be there are.
extension CellModel {
    mutating func put(group: VMGroupRecord) {
        guard group.spec.isGang else { return }
        let uid = group.metadata.uid
        let before = gangs.updateValue(group, forKey: uid)
        guard before?.spec.replicas != group.spec.replicas else { return }
        // Fewer may fit where more did not.
        for member in gangMembers[uid]?.values.sorted() ?? [] { retry(member) }
    }

    mutating func drop(group uid: ID<Document>) { gangs[uid] = nil }

    mutating func dropMember(_ vm: VMRecord) {
        guard let gang = vm.gang, let ordinal = vm.spec.group?.ordinal,
            gangMembers[gang]?[ordinal] == vm.metadata.uid
        else { return }
        gangMembers[gang]?[ordinal] = nil
        if gangMembers[gang]?.isEmpty == true { gangMembers[gang] = nil }
    }

    /// Members that are to be placed together now, by ordinal; none while one is missing, backs off, or while
    /// the cell has no more room than when they were tried last.
    func readyMembers(of gang: ID<Document>) -> [ID<Document>] {
        let members = waitingMembers(of: gang)
        let records = members.compactMap { vms[$0] }
        guard records.allSatisfy({ $0.notBefore.map { $0 <= uptime } ?? true }),
            records.contains(where: { $0.blockedAt != capacityVersion })
        else { return [] }
        return members
    }

    /// Members without an allocation, by ordinal; none unless every member that the group asks for is known.
    ///
    /// One that is being deleted counts while it holds room: its successor comes when it has given that back,
    /// which may take until its host returns. Before that it would be missing from the rest.
    func waitingMembers(of gang: ID<Document>) -> [ID<Document>] {
        guard let replicas = gangs[gang]?.spec.replicas, let members = gangMembers[gang] else { return [] }
        var waiting: [ID<Document>] = []
        for ordinal in 0..<replicas {
            guard let uid = members[ordinal], let vm = vms[uid] else { return [] }
            if pending.contains(uid) {
                waiting.append(uid)
            } else if vm.metadata.deletionTimestamp != nil, byWorkload[uid] == nil {
                return []
            }
        }
        return waiting
    }

    /// Requests of members that are placed together; none when a flavor is gone.
    func gangRequests(_ members: [ID<Document>]) -> [VMRequest] {
        let requests = members.compactMap {
            vms[$0]?.request(flavors: flavors, clock: clock, gang: members.count)
        }
        return requests.count == members.count ? requests : []
    }

    /// What a plan for the waiting members of a gang would say now, of the member that did not fit; nil when
    /// all fit, or when the gang is not whole.
    func explainGang(_ gang: ID<Document>, now: Timestamp) -> PlacementExplanation? {
        let requests = gangRequests(waitingMembers(of: gang))
        guard !requests.isEmpty else { return nil }
        let plan = VMPlacementPlanner.plan(
            cell: placement, pending: requests, inputs: trialInputs(now: now), ids: TrialIDs()
        ).plan
        return plan.report.unplaced.first?.explanation
    }

    /// As the next plan's, without its place in the line of plans.
    func trialInputs(now: Timestamp) -> PlacementPlanInputs {
        let (policies, documents) = placementPolicies()
        return PlacementPlanInputs(
            policy: .bestFit, poolPolicies: policies, poolDocuments: documents, now: now,
            fleetNow: clock.time(at: now), maxGroups: WorkloadLimit.replicas)
    }
}
