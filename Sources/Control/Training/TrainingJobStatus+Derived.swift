internal import Fleet

extension TrainingJobStatus {
    /// What a status is made from, beside the one before.
    struct News {
        /// Unreleased allocations that write for the job.
        var parts: [PartView]
        var ends: [ID<Allocation>: TrainingPartEnd]
        /// What new parts are the shape of.
        var shape: TrainingShape?
        var progress: TrainingProgress?
        var calibration: TrainingCalibration?
        var wait: TrainingWait?
        var isDeleting = false
    }

    typealias Told = (reason: Reason, message: String)

    /// Brings the status to what the ledger holds: the only place where a job's state is decided. The same
    /// news twice change nothing.
    ///
    /// - Returns: what is worth an event beside those that the ledger writes.
    mutating func follow(_ news: News, of spec: TrainingJobSpec, now: Timestamp) -> Told? {
        // Of a shape that is over nothing more is to be heard.
        if let progress = news.progress, !parts.isEmpty || !news.parts.isEmpty { take(progress) }
        calibration = news.calibration
        var told: Told?
        let live = Set(news.parts.map(\.allocation.id))
        if !parts.isEmpty, !parts.contains(where: { live.contains($0.allocation) }) {
            told = conclude(news, of: spec, now: now)
        }
        if news.parts.isEmpty {
            if !state.isOver { pend(news, now: now) }
        } else {
            hold(news, now: now)
        }
        return told
    }

    private mutating func take(_ progress: TrainingProgress) {
        // A rank that was started again tells of fewer steps than one before it did.
        if !state.isOver { stepsDone = progress.step }
        if progress.checkpointStep > checkpointStep {
            checkpointStep = progress.checkpointStep
            checkpointAt = progress.at
            failures = 0
        }
        iterationMilliseconds = progress.iterationMilliseconds ?? iterationMilliseconds
    }

    /// Every part of the shape has ended.
    private mutating func conclude(_ news: News, of spec: TrainingJobSpec, now: Timestamp) -> Told? {
        let ends = parts.map { news.ends[$0.allocation] ?? TrainingPartEnd(wasAsked: false) }
        let endedAt = ends.compactMap(\.at).max() ?? now
        heldSeconds += max(0, endedAt.since(shapeSince ?? endedAt).inSeconds)
        let held = shape
        parts = []
        shape = nil
        shapeSince = nil
        runningAt = nil
        let isDone = ends.allSatisfy { !$0.wasAsked && $0.exitCode == 0 } || checkpointStep >= spec.steps
        if isDone {
            stepsDone = max(stepsDone, spec.steps)
            return finish(.succeeded, .succeeded, "all \(spec.steps) steps are done", at: endedAt, now)
        }
        stepsDone = checkpointStep
        pendingSince = endedAt
        let crashed = ends.filter { !$0.wasAsked && $0.exitCode.map { $0 != 0 } ?? false }
        if let code = crashed.compactMap(\.exitCode).first {
            failures += 1
            restarts += 1
            if code == TrainingLimit.outOfMemoryExit, let held { ruleOut(held) }
            let most = spec.maxFailures ?? TrainingLimit.usualFailures
            if failures > most {
                let message = "ranks failed \(failures) times in a row, the last with exit code \(code)"
                return finish(.failed, .failed, message, at: endedAt, now)
            }
            state = .pending
            let cause =
                code == TrainingLimit.outOfMemoryExit
                ? "\(held?.plan ?? "the plan") ran out of memory" : "exit code \(code)"
            return (.rankFailed, "\(cause); goes on from step \(checkpointStep)")
        }
        state = .pending
        if ends.contains(where: { !$0.wasAsked && $0.exitCode == nil }) {
            restarts += 1
            return (.rescheduled, "a host is lost; goes on from step \(checkpointStep)")
        }
        if news.isDeleting { return nil }
        reconfigurations += 1
        return (.checkpointed, "stopped at step \(checkpointStep)")
    }

    private mutating func ruleOut(_ shape: TrainingShape) {
        let known = ruledOut ?? []
        let isKnown = known.contains { $0.placement == shape.placement && $0.plan == shape.plan }
        guard !isKnown, known.count < TrainingLimit.ruledOut else { return }
        ruledOut = known + [shape]
    }

    private mutating func finish(
        _ end: TrainingJobState, _ reason: Reason, _ message: String, at: Timestamp, _ now: Timestamp
    ) -> Told {
        state = end
        finishedAt = at
        wait = nil
        pendingSince = nil
        say(.running, .no, reason, message, now)
        return (reason, message)
    }

    private mutating func pend(_ news: News, now: Timestamp) {
        state = .pending
        if pendingSince == nil { pendingSince = now }
        if let next = news.wait, !next.isNearly(wait) { wait = next }
        let reason = wait?.reason ?? .waitingForPlacement
        let message = wait?.message ?? "waits for the next round"
        say(.scheduled, .no, reason, message, now)
        say(.running, .no, .waitingForPlacement, "holds no devices", now)
    }

    private mutating func hold(_ news: News, now: Timestamp) {
        if parts.isEmpty {
            shape = news.shape ?? shape
            shapeSince = news.parts.map(\.allocation.createdAt).min()
            if startedAt == nil { startedAt = now }
        }
        wait = nil
        pendingSince = nil
        let live = news.parts.map(\.status)
        let ended = parts.filter { part in !live.contains { $0.allocation == part.allocation } }.map {
            var part = $0
            part.state = .released
            return part
        }
        parts = (live + ended).sorted {
            $0.name.utf8.count != $1.name.utf8.count
                ? $0.name.utf8.count < $1.name.utf8.count : $0.name < $1.name
        }
        let hosts = Set(live.compactMap(\.host)).sorted().joined(separator: ", ")
        let message = "\(shape?.plan ?? "unknown plan") on \(hosts)"
        say(.scheduled, .yes, .scheduled, message, now)
        become(news, ended: ended, message, now)
    }

    private mutating func become(
        _ news: News, ended: [PartStatus], _ message: String, _ now: Timestamp
    ) {
        let isReleasing = news.parts.contains { $0.allocation.state == .releasing }
        let failed = ended.contains { part in
            news.ends[part.allocation].map { !$0.wasAsked && $0.exitCode != 0 } ?? true
        }
        let lost = news.parts.first { $0.contact != .ready }
        switch (failed, isReleasing) {
        case (true, _):
            state = .failing
            say(.running, .no, .rankFailed, "a rank has ended; the others are asked to", now)
        case (false, true):
            state = news.isDeleting ? .stopping : .checkpointing
            let reason: Reason = news.isDeleting ? .stopping : .checkpointing
            say(.running, .unknown, reason, "puts its state on disk \(message)", now)
        case (false, false) where lost != nil:
            state = .unknown
            say(.running, .unknown, .hostLost, "host \(lost?.host ?? "") lost contact", now)
        case (false, false) where news.parts.allSatisfy { $0.allocation.state == .active }:
            state = .running
            if runningAt == nil { runningAt = now }
            say(.running, .yes, .running, message, now)
        case (false, false):
            state = .starting
            say(.running, .no, .starting, message, now)
        }
    }

    private mutating func say(
        _ type: Condition.Aspect, _ status: Condition.Status, _ reason: Reason, _ message: String,
        _ now: Timestamp
    ) {
        conditions.set(
            Condition(
                type: type, status: status, reason: reason, message: message, lastTransitionTime: now))
    }
}

extension TrainingWait {
    /// Whether it says the same, but for an expected start that moved by less than anybody would act on.
    fileprivate func isNearly(_ other: TrainingWait?) -> Bool {
        guard var other else { return false }
        if let mine = startsAt, let its = other.startsAt, abs(mine.since(its).inSeconds) < 60 {
            other.startsAt = mine
        }
        var same = self
        same.message = other.message
        return same == other
    }
}
