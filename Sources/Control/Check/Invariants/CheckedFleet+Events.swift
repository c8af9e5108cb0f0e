import Fleet
import Store

extension CheckedFleet {
    /// Changes that the snapshot shows, each with one of the reasons that tell it. Events are kept at least
    /// as long as entries of the feed.
    func untoldChanges() -> [Finding] {
        let told = ToldReasons(snapshot.events)
        return untoldDocuments(told) + untoldAllocations(told) + untoldHosts(told)
    }

    private func untoldDocuments(_ told: ToldReasons) -> [Finding] {
        let entries = snapshot.feed.filter(\.kind.isDocument).compactMap { entry -> Finding? in
            let reason: Reason
            switch entry.change {
            case .created: reason = .created
            case .deleted: reason = .deleted
            case .updated: return nil
            }
            guard told.count(entry.uid, [reason]) == 0 else { return nil }
            return Finding(
                subject: "\(entry.kind.rawValue) \(entry.name)", message: "no event \(reason.rawValue)")
        }
        let marked = snapshot.workloads.compactMap { workload -> Finding? in
            guard let at = workload.deletionTimestamp, told.covers(at),
                told.count(workload.uid, [.deletionRequested]) == 0
            else { return nil }
            return Finding(
                subject: "\(workload.kind.rawValue) \(workload.name)", message: "no event DeletionRequested")
        }
        return entries + marked
    }

    /// Per workload there are as many tellings of beginnings, runs and ends as allocations that had them.
    private func untoldAllocations(_ told: ToldReasons) -> [Finding] {
        // Only an end is dated by the store's own clock; beginnings are counted while the log is whole.
        let stages: [(String, [Reason], (Allocation) -> Bool)] = [
            ("beginning", [.scheduled, .migrating, .quarantined], { _ in told.isWhole }),
            ("run", [.running, .quarantined], { told.isWhole && $0.state == .active }),
            (
                "end", [.released, .exited, .startFailed, .hostFenced, .migrationCancelled],
                { $0.releasedAt.map(told.covers) ?? false }
            ),
        ]
        return Dictionary(grouping: snapshot.allocations, by: \.workload.uid).flatMap { uid, allocations in
            stages.compactMap { stage, reasons, applies in
                let (had, told) = (allocations.count(where: applies), told.count(uid, reasons))
                guard had > told, let workload = allocations.first?.workload else { return nil }
                return Finding(
                    subject: "\(workload.kind.rawValue) \(workload.project)/\(workload.name)",
                    message: "\(had) allocations with a \(stage), \(told) events that tell it")
            }
        }
    }

    /// A host that a session ever held came to suspect and fenced by judgement only.
    private func untoldHosts(_ told: ToldReasons) -> [Finding] {
        snapshot.hosts.compactMap { host in
            guard host.session != nil, host.contact != .ready, told.isWhole else { return nil }
            let reason: Reason = host.contact == .suspect ? .hostSuspect : .hostFenced
            guard told.count(host.id, [reason]) == 0 else { return nil }
            return Finding(subject: "host \(host.name)", message: "no event \(reason.rawValue)")
        }
    }
}

/// Events counted by what they are about and why.
private struct ToldReasons {
    private var counts: [Key: Int] = [:]
    /// Time of the oldest event; nil when there is none.
    private var since: Timestamp?
    /// Whether the log begins with its first event.
    let isWhole: Bool

    private struct Key: Hashable {
        var uid: ID<Document>
        var reason: Reason
    }

    init(_ events: [EventRecord]) {
        for event in events { counts[Key(uid: event.uid, reason: event.reason), default: 0] += 1 }
        isWhole = (events.first?.id ?? 1) <= 1
        since = events.first?.at
    }

    /// Whether an event of that time would still be there.
    func covers(_ time: Timestamp) -> Bool { isWhole || (since.map { $0 <= time } ?? false) }

    func count(_ uid: ID<Document>, _ reasons: [Reason]) -> Int {
        reasons.reduce(0) { $0 + (counts[Key(uid: uid, reason: $1)] ?? 0) }
    }
}
