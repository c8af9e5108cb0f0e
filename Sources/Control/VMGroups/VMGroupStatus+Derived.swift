internal import Fleet
internal import Store

extension VMGroupStatus {
    /// Why members that are missing are not made.
    struct Obstacle: Equatable {
        var reason: Reason
        var message: String
    }

    /// What the status of a group must be, given its members: the only place where it is decided.
    ///
    /// - Parameter members: VMs of the group by ordinal, those that are being deleted included.
    static func derived(
        group: VMGroupRecord, members: [VMRecord], cell: String?, obstacle: Obstacle?, now: Timestamp
    ) -> VMGroupStatus {
        let kept = members.filter { $0.isKept && $0.ordinal < group.spec.replicas }
        var next = group.status
        next.observedGeneration = group.metadata.generation
        next.cell = group.spec.isGang ? cell : nil
        next.replicas = kept.count
        next.placed = kept.count { $0.status.allocation != nil }
        next.running = kept.count { $0.status.state == .running }
        guard group.metadata.deletionTimestamp == nil else {
            next.end(members: members.count, now: now)
            return next
        }
        next.place(group, kept, obstacle, now)
        next.run(group, kept, now)
        next.compare(group, kept, now)
        return next
    }

    private mutating func end(members: Int, now: Timestamp) {
        state = .stopping
        let message = "\(members) members are being deleted"
        for type in [Condition.Aspect.scheduled, .running] {
            conditions.set(
                .init(
                    type: type, status: .unknown, reason: .stopping, message: message,
                    lastTransitionTime: now))
        }
    }

    private mutating func place(
        _ group: VMGroupRecord, _ kept: [VMRecord], _ obstacle: Obstacle?, _ now: Timestamp
    ) {
        let count = "\(placed) of \(group.spec.replicas) members have a host"
        guard placed < group.spec.replicas else {
            state = running < group.spec.replicas ? .scheduled : .running
            conditions.set(
                .init(
                    type: .scheduled, status: .yes, reason: .scheduled, message: count,
                    lastTransitionTime: now))
            return
        }
        state = .pending
        let waiting = kept.first { $0.status.allocation == nil }
        let reason = obstacle?.reason ?? waiting?.condition?.reason ?? .waitingForPlacement
        let detail = obstacle?.message ?? waiting.flatMap { $0.condition?.message }
        conditions.set(
            .init(
                type: .scheduled, status: .no, reason: reason,
                message: detail.map { "\(count): \($0)" } ?? count, lastTransitionTime: now))
    }

    private mutating func run(_ group: VMGroupRecord, _ kept: [VMRecord], _ now: Timestamp) {
        let isWhole = running == group.spec.replicas
        let lost = kept.contains { $0.status.state == .unknown }
        let starting: Reason = state == .pending ? .waitingForPlacement : .starting
        let reason: Reason = isWhole ? .running : lost ? .hostLost : starting
        conditions.set(
            .init(
                type: .running, status: isWhole ? .yes : lost ? .unknown : .no, reason: reason,
                message: "\(running) of \(group.spec.replicas) members run", lastTransitionTime: now))
    }

    /// A changed template is for members that are made from then on; what runs is never replaced unasked.
    private mutating func compare(_ group: VMGroupRecord, _ kept: [VMRecord], _ now: Timestamp) {
        let older = kept.count {
            !group.spec.describes(
                $0.spec, labels: $0.metadata.labels, ordinal: $0.ordinal, of: group.metadata)
        }
        let message =
            older == 0
            ? "every member is as the template says"
            : "\(older) of \(kept.count) members differ from the template; delete them to have them made anew"
        conditions.set(
            .init(
                type: .upToDate, status: older == 0 ? .yes : .no,
                reason: older == 0 ? .templateCurrent : .templateChanged, message: message,
                lastTransitionTime: now))
    }
}

extension VMGroupRecord {
    /// What users see change with a new status, each with its reason.
    func events(of next: VMGroupStatus) -> [EventDraft] {
        var events: [EventDraft] = []
        func tell(_ type: Condition.Aspect) {
            guard let condition = next.conditions.first(where: { $0.type == type }) else { return }
            events.append(
                EventDraft(
                    kind: .vmGroup, project: metadata.project, name: metadata.name, uid: metadata.uid,
                    reason: condition.reason, message: condition.message,
                    source: VMGroupsReconciler.source))
        }
        func moved(_ type: Condition.Aspect) -> Bool {
            let old = status.conditions.first { $0.type == type }
            let new = next.conditions.first { $0.type == type }
            return old?.status != new?.status || old?.reason != new?.reason
        }
        if moved(.scheduled) { tell(.scheduled) }
        if moved(.running), next.state != .pending { tell(.running) }
        if moved(.upToDate), !(status.conditions.isEmpty) { tell(.upToDate) }
        return events
    }
}
