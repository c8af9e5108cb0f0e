import AgentProtocol
import Fleet

extension AgentState {
    mutating func changed(_ changes: RuntimeChanges, _ step: inout AgentStep) {
        observe(changes.parts, &step)
        if let hosts = changes.unreachable {
            unreachable = hosts.sorted()
            drives.releaseHeld()
        }
    }

    /// Takes over the runtime's view of parts. A part that the agent does not know is kept and reported.
    /// - Parameter isComplete: the runtime was asked for all it knows. Only that can bring back a part that
    ///   counted as ended; a change may be older than the end.
    mutating func observe(_ parts: [RuntimePart], isComplete: Bool = false, _ step: inout AgentStep) {
        for seen in parts {
            guard let part = part(seen.key) else {
                let phase: PartState.Phase =
                    switch seen.state {
                    case .starting: .starting
                    case .running: .running
                    case .ended(let end): .ended(end)
                    }
                insert(
                    PartState(directive: seen.directive, phase: phase, listed: false), seen.key, &step)
                continue
            }
            if part.isEnded, !isComplete { continue }
            observe(seen, part, &step)
        }
    }

    private mutating func observe(_ seen: RuntimePart, _ part: PartState, _ step: inout AgentStep) {
        switch seen.state {
        case .starting:
            if part.phase == .accepted { update(seen.key, &step) { $0.phase = .starting } }
        case .running:
            // A part to be stopped runs until it ended.
            if part.phase != .stopping { update(seen.key, &step) { $0.phase = .running } }
        case .ended(let end):
            guard !part.isEnded else { return }
            ended(seen.key, end, part, &step)
            return
        }
        if part.directive.action == .stop, part.phase != .stopping { requestStop(seen.key, &step) }
    }

    private mutating func ended(
        _ key: PartKey, _ end: PartEnd, _ part: PartState, _ step: inout AgentStep
    ) {
        var end = end
        if let doubt = part.doubt { end = PartEnd(outcome: .failed, message: doubt) }
        if end.outcome == .failed {
            metrics.startsFailed += part.isRunning ? 0 : 1
            step.act(.notice(.partFailed(key, message: end.message ?? "")))
        }
        self.end(key, end, &step)
    }

    mutating func requestStop(_ key: PartKey, _ step: inout AgentStep) {
        update(key, &step) { $0.phase = .stopping }
        drives.enqueue(.stop(key))
    }

    /// The runtime took a call, or did not.
    mutating func answered(_ call: RuntimeCall, _ failure: RuntimeError?, _ step: inout AgentStep) {
        drives.end()
        if let failure { step.act(.notice(.runtimeCallFailed(call, failure))) }
        switch call {
        case .start(let key): started(key, failure, &step)
        case .stop(let key): stopAnswered(key, failure, &step)
        }
    }

    private mutating func started(_ key: PartKey, _ failure: RuntimeError?, _ step: inout AgentStep) {
        // The change may have come before the answer.
        guard let part = part(key), part.phase == .launching else { return }
        switch failure {
        case nil:
            update(key, &step) { $0.phase = .starting }
            if part.directive.action == .stop { requestStop(key, &step) }
        case .refused(let message):
            ended(key, PartEnd(outcome: .failed, message: message), part, &step)
        case .unknownPart:
            ended(key, PartEnd(outcome: .failed, message: "the runtime lost the start"), part, &step)
        case .indeterminate(let message):
            update(key, &step) { $0.doubt = "the start's outcome was unknown: \(message)" }
            requestStop(key, &step)
        }
    }

    private mutating func stopAnswered(_ key: PartKey, _ failure: RuntimeError?, _ step: inout AgentStep) {
        guard let part = part(key), part.phase == .stopping else { return }
        switch failure {
        case nil: break
        case .unknownPart:
            ended(key, PartEnd(outcome: .stopped, message: "the runtime does not know the part"), part, &step)
        case .refused, .indeterminate:
            // A stop is never given up: capacity is not free until the part has certainly ended.
            drives.retryStop(of: key, at: step.now.advanced(by: configuration.backoff.cap))
        }
    }

    /// Gives the runtime what it has room for.
    mutating func dispatchRuntimeCalls(_ step: inout AgentStep) {
        while let call = drives.next() {
            switch call {
            case .start(let key):
                guard let part = part(key), part.phase == .accepted, part.directive.action == .run else {
                    continue
                }
                guard mayStart(on: key.host, at: step.now) else {
                    drives.hold(key)
                    continue
                }
                update(key, &step) { $0.phase = .launching }
                metrics.startsIssued += 1
                drives.begin()
                step.act(.start(PartStart(key: key, directive: part.directive)))
            case .stop(let key):
                guard part(key)?.phase == .stopping else { continue }
                metrics.stopsIssued += 1
                drives.begin()
                step.act(.stop(key))
            }
        }
    }

    /// Nothing starts on an outdated assignment or past the lease: the part may run elsewhere by then.
    private func mayStart(on name: String, at now: MonotonicTime) -> Bool {
        guard let host = hosts[name], let connection, let leaseDeadline else { return false }
        return host.isCarried && !host.isRefused && host.confirmedBy == connection.incarnation
            && leaseDeadline > now && !unreachable.contains(name)
    }
}
