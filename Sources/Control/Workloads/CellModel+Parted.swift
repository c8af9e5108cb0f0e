internal import Fleet
internal import Store

extension CellModel {
    mutating func put(workload resource: Resource) throws {
        guard var next = try PartedKinds.record(of: resource) else { return }
        if let known = parted[next.uid] { next.inherit(from: known) }
        parted[next.uid] = next
        touched(next.uid, isDeleting: next.metadata.deletionTimestamp != nil)
    }

    mutating func drop(workload uid: ID<Document>) {
        guard parted.removeValue(forKey: uid) != nil else { return }
        forget(uid)
    }

    /// Moves when a round of training may decide otherwise than the one before.
    var trainingVersion: TrainingKeeping.Version {
        TrainingKeeping.Version(capacity: capacityVersion, workloads: workloadVersion)
    }

    /// Parts that an engine has a say in, by name: neither found by chance nor standing by.
    func parts(of uid: ID<Document>) -> [PartView] {
        writers(of: uid).map(view)
    }

    func view(_ allocation: Allocation) -> PartView {
        let host = hosts[allocation.host]
        return PartView(
            allocation: allocation, host: host?.name, contact: host?.contact ?? .fenced,
            isHeld: host.map { heldZones.contains($0.domain.zone) } ?? false)
    }

    /// Parts as they are once a plan's directives are carried out.
    func parts(of uid: ID<Document>, after directives: [Directive]) -> [PartView] {
        var parts = writers(of: uid)
        for directive in directives {
            switch directive {
            case .allocate(let directive) where directive.allocation.workload.uid == uid:
                parts.append(directive.allocation)
            case .release(let directive):
                if let index = parts.firstIndex(where: { $0.id == directive.allocation }) {
                    parts[index].state = .releasing
                }
            case .allocate, .migrate: continue
            }
        }
        return parts.sorted(by: Allocation.precedesInWorkload).map(view)
    }

    /// Unreleased allocations that write for a workload, by part.
    func writers(of uid: ID<Document>) -> [Allocation] {
        (byWorkload[uid] ?? []).compactMap { allocations[$0] }.filter { !$0.quarantined && !$0.isStandby }
            .sorted(by: Allocation.precedesInWorkload)
    }
}

extension Allocation {
    static func precedesInWorkload(_ lhs: Allocation, _ rhs: Allocation) -> Bool {
        let (left, right) = (lhs.workload.part, rhs.workload.part)
        // `worker-10` comes after `worker-9`.
        if left.utf8.count != right.utf8.count { return left.utf8.count < right.utf8.count }
        return left != right ? left < right : lhs.id < rhs.id
    }
}
