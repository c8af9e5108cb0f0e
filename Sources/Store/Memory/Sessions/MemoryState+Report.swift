import AgentProtocol
import Fleet

extension MemoryState {
    /// A sequence that was acknowledged before renews the leases and does nothing else.
    mutating func report(_ report: SessionReport) throws -> [RefusedPart] {
        guard var session = sessions[report.session] else {
            throw StoreError.unauthorized("the session is not known")
        }
        guard session.record.incarnation == report.incarnation else {
            throw StoreError.sessionSuperseded(current: session.record.incarnation)
        }
        let isNew = report.sequence > session.sequence
        session.record.renewedAt = now
        session.sequence = max(session.sequence, report.sequence)
        sessions[report.session] = session
        let (unreachable, renewedAt) = (Set(report.unreachable), now)
        for id in hostsOfSession[report.session] ?? [] {
            guard let name = hosts[id]?.record.name, !unreachable.contains(name) else { continue }
            hosts[id]?.renewedAt = renewedAt
        }
        return isNew ? take(report.parts, session: report.session) : []
    }

    /// Moves allocations to what the agent saw, part by part in order.
    mutating func take(_ parts: [PartReport], session: ID<AgentSession>) -> [RefusedPart] {
        var refused: [RefusedPart] = []
        var strangers: Set<String> = []
        var changed: Set<ID<Document>> = []
        for round in rounds(of: parts) {
            changed.formUnion(takePremature(round, session: session))
            for part in round {
                let known = documents[DocumentName(.host, part.host)].flatMap { hosts[$0.metadata.uid] }
                guard let host = known?.record, host.session == session else {
                    let message = "the session does not hold host \(part.host)"
                    refused.append(part.refused(.reportRefused, message))
                    if strangers.insert(part.host).inserted {
                        noteRefusal(of: part.host, verb: "report", session: session, message: message)
                    }
                    continue
                }
                let outcome = take(part, on: host, source: EventSource.agent(session))
                if outcome.changesAssignment { changed.insert(host.id) }
                if let message = outcome.refusal { refused.append(part.refused(.allocationGone, message)) }
            }
        }
        raiseAssignments(of: changed)
        return refused
    }

    /// Stretches of a report that are of one look: a part that comes again begins another, and one that the
    /// ledger does not know stands alone.
    private func rounds(of parts: [PartReport]) -> [[PartReport]] {
        var rounds: [[PartReport]] = []
        var seen: Set<ID<Allocation>> = []
        var wasUnknown = false
        for part in parts {
            let isUnknown = part.directive != nil && allocations[part.allocation] == nil
            let isAgain = !seen.insert(part.allocation).inserted
            if rounds.isEmpty || isAgain || isUnknown || wasUnknown { rounds.append([]) }
            rounds[rounds.count - 1].append(part)
            wasUnknown = isUnknown
        }
        return rounds
    }

    /// What of one look runs without having been handed over. It is looked for before the look's own ends
    /// hand anything over: the agent saw both beside each other.
    private mutating func takePremature(
        _ parts: [PartReport], session: ID<AgentSession>
    ) -> Set<ID<Document>> {
        var changed: Set<ID<Document>> = []
        for part in parts where part.state == .starting || part.state == .running {
            guard let allocation = allocations[part.allocation], allocation.isStandby,
                let host = hosts[allocation.host]?.record, host.name == part.host, host.session == session
            else { continue }
            changed.formUnion(takePremature(allocation, on: host, source: EventSource.agent(session)))
        }
        return changed
    }

    private typealias PartOutcome = (changesAssignment: Bool, refusal: String?)

    private mutating func take(_ part: PartReport, on host: HostRecord, source: String) -> PartOutcome {
        guard let allocation = allocations[part.allocation] else {
            return takeUnknown(part, on: host, source: source)
        }
        guard allocation.host == host.id else { return (false, "the allocation is on another host") }
        switch (part.state, allocation.state) {
        case (.starting, .released), (.running, .released):
            // It runs on capacity that others may hold by now: it is to be stopped.
            let message = "runs on \(host.name) although its allocation is released"
            if part.state == .running {
                append(.about(allocation.workload, .allocationGone, message, source: source))
            }
            let isNew = strays.updateValue(host.id, forKey: allocation.id) == nil
            if isNew { record(.updated, of: allocation) }
            return (isNew, message)
        case (.running, .reserved):
            var active = allocation
            active.state = .active
            allocations.put(active)
            record(.updated, of: active)
            append(.about(allocation.workload, .running, "runs on \(host.name)", source: source))
            return (false, nil)
        case (.stopped, .released), (.failed, .released):
            guard strays.removeValue(forKey: allocation.id) != nil else { return (false, nil) }
            record(.updated, of: allocation)
            let message = "the copy without an allocation has ended"
            append(.about(allocation.workload, .stopped, message, source: source))
            return (true, nil)
        case (.starting, _), (.running, _): return (false, nil)
        case (.stopped, _), (.failed, _):
            var ended = allocation
            ended.end = AllocationEnd(exitCode: part.exitCode, message: part.sentence)
            release(ended, source: source)
            if allocation.quarantined { unveil(allocation) }
            append(
                .about(allocation.workload, part.endReason(of: allocation), part.sentence, source: source))
            return (true, nil)
        }
    }

    /// Lists the allocation that a quarantined copy, which has ended now, stood against.
    private mutating func unveil(_ copy: Allocation) {
        for id in allocations.live(ofWorkload: copy.workload.uid) {
            guard let allocation = allocations[id], allocation.workload.part == copy.workload.part,
                !allocation.quarantined, allocation.state != .releasing
            else { continue }
            raiseAssignments(of: [allocation.host])
            record(.updated, of: allocation)
        }
    }

    /// An allocation the ledger does not know. What runs and says its size is quarantined under its own id
    /// and holds room even past the limit; devices that others hold stay with them. What has ended is
    /// nothing.
    private mutating func takeUnknown(
        _ part: PartReport, on host: HostRecord, source: String
    ) -> PartOutcome {
        guard let directive = part.directive else { return (false, "the allocation is not known") }
        guard part.state == .running || part.state == .starting else { return (false, nil) }
        let devices = directive.devices.sorted().filter { device in
            hosts[host.id]?.has(device) == true && !allocations.holdsDevice(of: [device])
        }
        let allocation = Allocation(
            id: part.allocation, workload: directive.workload, cell: host.cell, host: host.id,
            class: .standard, resources: directive.resources, devices: devices, state: .active,
            quarantined: true, onPartition: directive.onPartition, createdAt: now)
        hosts[host.id]?.take(allocation)
        usage[allocation.workload.project, default: QuotaUsage()].add(allocation)
        allocations.put(allocation)
        record(.created, of: allocation)
        let message = "found on \(host.name) without an allocation"
        append(.about(allocation.workload, .quarantined, message, source: source))
        return (true, nil)
    }
}

extension HostRow {
    /// Whether a device is installed here, healthy or not.
    fileprivate func has(_ uuid: String) -> Bool { record.devices.contains { $0.uuid == uuid } }
}

extension PartReport {
    fileprivate func refused(_ reason: Reason, _ message: String) -> RefusedPart {
        RefusedPart(host: host, allocation: allocation, reason: reason, message: message)
    }

    /// Why a part ended: as asked, by itself, or because it never started. What was seen running, or left an
    /// exit code, did start; with 126 and 127 agents say, as shells do, that there was nothing to run.
    fileprivate func endReason(of allocation: Allocation) -> Reason {
        switch (state, allocation.state) {
        case (_, .releasing): .released
        case (.failed, .reserved) where exitCode.map { [126, 127].contains($0) } ?? true: .startFailed
        default: .exited
        }
    }

    fileprivate var sentence: String {
        let code = exitCode.map { "exit code \($0)" }
        return [message, code].compactMap { $0 }.joined(separator: ", ")
    }
}
