public import Fleet

extension VMStatus {
    /// What the status of a VM must be, given the ledger: the only place where it is decided.
    ///
    /// - Parameters:
    ///   - previous: status as written last.
    ///   - allocation: the writing allocation, if there is one that is not released.
    ///   - host: name and contact of its host.
    ///   - isHeld: whether the breaker keeps the host from being fenced.
    ///   - blocked: why no host takes it, when it was tried.
    ///   - refusal: why the ledger refused it, when it did.
    ///   - target: name of the host that it is on its way to.
    /// - Returns: the status and, when its state moved, the reason and message of the event.
    public static func derived(
        from previous: VMStatus, metadata: Metadata, allocation: Allocation?,
        host: (name: String, contact: HostContact)?, isHeld: Bool = false,
        blocked: PlacementExplanation?, refusal: Reason? = nil, target: String? = nil, now: Timestamp
    ) -> VMStatus {
        var next = previous
        next.observedGeneration = metadata.generation
        guard let allocation else {
            next.pend(previous, blocked: blocked, refusal: refusal, now: now)
            return next
        }
        next.cell = allocation.cell
        next.host = host?.name
        if previous.allocation != allocation.id {
            // A part that ended may have a new place before anyone saw it wait; a migration is no restart.
            if allocation.arrival == nil, previous.wasToRun { next.restarts += 1 }
            next.allocation = allocation.id
            next.scheduledAt = allocation.createdAt
            next.runningAt = nil
        }
        let place = "on host \(host?.name ?? allocation.host.description)"
        next.conditions.set(
            .init(type: .scheduled, status: .yes, reason: .scheduled, message: place, lastTransitionTime: now)
        )
        switch (allocation.state, host?.contact ?? .ready) {
        case (.reserved, _):
            next.become(.scheduled, running: .no, .starting, "starting \(place)", now)
        case (.active, .ready):
            next.become(.running, running: .yes, .running, place, now)
            if next.runningAt == nil { next.runningAt = now }
        case (.active, _):
            let held = "; the breaker of its zone waits for a person: basalt host breaker list"
            let message = "\(place), which lost contact" + (isHeld ? held : "")
            next.become(.unknown, running: .unknown, .hostLost, message, now)
        case (.releasing, _) where target != nil:
            let message = "stopping \(place), to go on on host \(target ?? "")"
            next.become(.stopping, running: .unknown, .migrating, message, now)
        case (.releasing, _), (.released, _):
            next.become(.stopping, running: .unknown, .stopping, "stopping \(place)", now)
        }
        return next
    }

    /// Whether it had a place that nobody asked it to leave.
    private var wasToRun: Bool {
        allocation != nil && (state == .scheduled || state == .running || state == .unknown)
    }

    private mutating func pend(
        _ previous: VMStatus, blocked: PlacementExplanation?, refusal: Reason?, now: Timestamp
    ) {
        if previous.wasToRun { restarts += 1 }
        state = .pending
        host = nil
        allocation = nil
        scheduledAt = nil
        runningAt = nil
        let reason = refusal ?? (blocked == nil ? .waitingForPlacement : .noHostFits)
        let message = refusal?.refusalSentence ?? blocked?.sentence ?? "waits for placement"
        conditions.set(
            .init(type: .scheduled, status: .no, reason: reason, message: message, lastTransitionTime: now))
        conditions.set(
            .init(
                type: .running, status: .no, reason: .waitingForPlacement, message: "not placed",
                lastTransitionTime: now))
    }

    private mutating func become(
        _ state: WorkloadState, running: Condition.Status, _ reason: Reason, _ message: String,
        _ now: Timestamp
    ) {
        self.state = state
        conditions.set(
            .init(type: .running, status: running, reason: reason, message: message, lastTransitionTime: now))
    }
}

extension Reason {
    /// What a condition says when the ledger refused a VM.
    var refusalSentence: String {
        self == .quotaExceeded ? "the quota of the project is used up" : "the ledger refused it: \(rawValue)"
    }
}
