import AgentProtocol
import Fleet

extension AgentState {
    mutating func restore(_ ledger: LedgerSnapshot) {
        for (name, held) in ledger.hosts {
            var host = hosts[name] ?? HostState()
            host.accepted = held.accepted
            host.parts = held.parts.mapValues { part in
                PartState(directive: part.directive, phase: .init(part.progress), listed: part.listed)
            }
            hosts[name] = host
        }
    }

    /// Joins what the ledger says with what the runtime knows. The runtime is right about what runs.
    mutating func reconcile(_ adopted: [RuntimePart], _ step: inout AgentStep) {
        pendingAdoption = []
        observe(adopted, isComplete: true, &step)
        let known = Set(adopted.map(\.key))
        let rest = hosts.flatMap { name, host in
            host.parts.keys.map { PartKey(host: name, allocation: $0) }
        }
        for key in rest.filter({ !known.contains($0) }).sorted() { resolveUnknown(key, &step) }
    }

    /// A part that the runtime, asked for all, did not name.
    private mutating func resolveUnknown(_ key: PartKey, _ step: inout AgentStep) {
        guard let part = part(key) else { return }
        switch part.phase {
        case .ended, .launching: break
        case .accepted where part.directive.action == .run && canRun: drives.enqueue(.start(key))
        case .accepted: end(key, .neverStarted, &step)
        case .starting, .running, .stopping:
            step.act(.notice(.partLost(key)))
            end(key, PartEnd(outcome: .failed, message: "the runtime no longer knows the part"), &step)
        }
    }

    /// Everything the runtime knows, after changes may have been missed.
    mutating func listed(_ parts: [RuntimePart], _ step: inout AgentStep) {
        let known = Set(parts.map(\.key))
        observe(parts, isComplete: true, &step)
        let live = hosts.flatMap { name, host in
            host.parts.lazy.filter { !$0.value.isEnded && $0.value.phase != .accepted }
                .map { PartKey(host: name, allocation: $0.key) }
        }
        for key in live.filter({ !known.contains($0) }).sorted() { resolveUnknown(key, &step) }
    }

    mutating func end(_ key: PartKey, _ end: PartEnd, _ step: inout AgentStep) {
        update(key, &step) { $0.phase = .ended(end) }
    }
}

extension PartEnd {
    static let neverStarted = PartEnd(outcome: .stopped, message: "never started")
}

extension PartState.Phase {
    /// Where a part stands that the agent knows from its ledger only. A launched one is taken for running
    /// until the runtime says otherwise.
    init(_ progress: LedgerPart.Progress) {
        switch progress {
        case .accepted: self = .accepted
        case .launched: self = .starting
        case .ended(let end): self = .ended(end)
        }
    }
}
