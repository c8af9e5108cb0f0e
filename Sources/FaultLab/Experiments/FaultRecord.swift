public import Fleet

/// A fault as a resource: what was asked for, and how far it is with each target.
public struct FaultRecord: Sendable, Hashable, Codable {
    /// What is wanted of it.
    public enum Intent: String, Sendable, Hashable, CaseIterable, Codable { case run, pause, stop }

    public enum State: String, Sendable, Hashable, CaseIterable, Codable {
        /// Planned; no injector has begun.
        case planned
        /// Being done to its targets, and not yet seen on all of them.
        case arming
        /// Verified on every target that it could be done to.
        case active
        case paused
        /// Being taken back.
        case recovering
        case recovered
        /// It could be done to no target.
        case failed
        /// Some target's lease is over, and nobody told that the fault is gone there.
        case orphaned
    }

    public struct Target: Sendable, Hashable, Codable {
        public var target: FaultTarget
        public var injector: String
        public var hosts: [String]
        public var phase: TargetPhase
        public var round: Int
        public var injectedCount: Int
        public var recoveredCount: Int
        /// When its lease is over; nil before it is injected.
        public var deadline: Timestamp?
        public var changedAt: Timestamp
        public var message: String?
    }

    public var name: String
    public var spec: FaultSpec
    public var actor: String
    public var createdAt: Timestamp
    public var intent: Intent
    /// Why it was stopped, by whom.
    public var reason: String?
    public var targets: [Target]
    public var finishedAt: Timestamp?

    public var isOpen: Bool { finishedAt == nil }

    public var state: State {
        let phases = targets.map(\.phase)
        if phases.contains(.orphaned) { return .orphaned }
        if finishedAt != nil { return phases.allSatisfy { $0 == .failed } ? .failed : .recovered }
        if phases.contains(.recovering) { return .recovering }
        switch intent {
        case .stop: return .recovering
        case .pause: return phases.contains { $0.isInEffect } ? .recovering : .paused
        case .run: break
        }
        if phases.allSatisfy({ $0 == .notInjected }) { return .planned }
        return phases.contains { $0 == .notInjected || $0 == .injecting } ? .arming : .active
    }

    /// What may suffer now or soon, in the words that a blast radius counts.
    var reach: Set<FaultTarget> { isOpen ? Set(targets.filter { $0.phase != .failed }.map(\.target)) : [] }
}

extension FaultRecord {
    private enum Key: String, CodingKey {
        case name, spec, actor, createdAt, intent, reason, targets, finishedAt, state
    }

    /// With the state, which is derived and not read back.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(spec, forKey: .spec)
        try container.encode(actor, forKey: .actor)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(intent, forKey: .intent)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encode(targets, forKey: .targets)
        try container.encodeIfPresent(finishedAt, forKey: .finishedAt)
        try container.encode(state, forKey: .state)
    }
}
