/// An immutable decision of one engine for one cell.
public struct Plan: Sendable, Hashable, Codable {
    public enum Engine: String, Sendable, Hashable, Codable, CaseIterable {
        case vmPlacement, hostMaintenance, training, serving
    }

    public var id: ID<Plan>
    public var cell: String
    public var engine: Engine
    /// Last plan of (cell, engine) that this one was made on top of; nil for the first.
    public var parent: ID<Plan>?
    /// Hash of snapshot and policy.
    public var inputsHash: String
    public var seed: UInt64
    public var groups: [DirectiveGroup]
    public var report: PlanReport
    public var createdAt: Timestamp

    public init(
        id: ID<Plan>, cell: String, engine: Engine, parent: ID<Plan>?, inputsHash: String, seed: UInt64,
        groups: [DirectiveGroup], report: PlanReport, createdAt: Timestamp
    ) {
        self.id = id
        self.cell = cell
        self.engine = engine
        self.parent = parent
        self.inputsHash = inputsHash
        self.seed = seed
        self.groups = groups
        self.report = report
        self.createdAt = createdAt
    }
}

/// Directives that commit whole or not at all; encoded as their array.
public struct DirectiveGroup: Sendable, Hashable, Codable {
    public var directives: [Directive]

    public init(_ directives: [Directive]) { self.directives = directives }

    public init(from decoder: any Decoder) throws {
        directives = try decoder.singleValueContainer().decode([Directive].self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(directives)
    }
}

/// One line of a plan; encoded flat, with its name under `directive`.
public enum Directive: Sendable, Hashable, Codable {
    case allocate(AllocateDirective)
    case release(ReleaseDirective)
    case migrate(MigrateDirective)

    private enum CodingKeys: String, CodingKey { case directive }
    private enum Word: String, Codable { case allocate, release, migrate }

    public init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: CodingKeys.self).decode(Word.self, forKey: .directive) {
        case .allocate: self = .allocate(try AllocateDirective(from: decoder))
        case .release: self = .release(try ReleaseDirective(from: decoder))
        case .migrate: self = .migrate(try MigrateDirective(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .allocate(let directive):
            try container.encode(Word.allocate, forKey: .directive)
            try directive.encode(to: encoder)
        case .release(let directive):
            try container.encode(Word.release, forKey: .directive)
            try directive.encode(to: encoder)
        case .migrate(let directive):
            try container.encode(Word.migrate, forKey: .directive)
            try directive.encode(to: encoder)
        }
    }
}

/// Takes capacity for a part. Refused when the host or the workload is no longer as the planner saw it.
public struct AllocateDirective: Sendable, Hashable, Codable {
    public var allocation: Allocation
    /// `metadata.generation` of the workload that the planner saw.
    public var workloadGeneration: Int
    /// `host.generation` that the planner saw.
    public var hostGeneration: Int
    /// In words, for the workload's condition and event.
    public var message: String
    /// What the placement went by, where lifetimes are tracked.
    public var lifetime: PredictedLifetime?

    public init(
        allocation: Allocation, workloadGeneration: Int, hostGeneration: Int, message: String,
        lifetime: PredictedLifetime? = nil
    ) {
        self.allocation = allocation
        self.workloadGeneration = workloadGeneration
        self.hostGeneration = hostGeneration
        self.message = message
        self.lifetime = lifetime
    }
}

/// Asks for a part to be stopped; capacity is free when that is confirmed.
public struct ReleaseDirective: Sendable, Hashable, Codable {
    public var allocation: ID<Allocation>
    public var reason: Reason
    public var message: String

    public init(allocation: ID<Allocation>, reason: Reason, message: String) {
        self.allocation = allocation
        self.reason = reason
        self.message = message
    }
}

/// Holds room on another host for a part that runs, under a new migration; nothing stops by it yet. Refused
/// as an allocation is, and when the source is not there or on its way already. Quotas count a part once.
public struct MigrateDirective: Sendable, Hashable, Codable {
    /// The reservation on the target, with its arrival.
    public var allocation: Allocation
    /// The source: what writes for the part now.
    public var from: ID<Allocation>
    /// `metadata.generation` of the workload that the planner saw.
    public var workloadGeneration: Int
    /// `host.generation` of the target that the planner saw.
    public var hostGeneration: Int
    public var reason: Reason
    /// In words, for the workload's event.
    public var message: String
    /// What the placement went by, where lifetimes are tracked.
    public var lifetime: PredictedLifetime?

    public init(
        allocation: Allocation, from: ID<Allocation>, workloadGeneration: Int, hostGeneration: Int,
        reason: Reason = .migrating, message: String, lifetime: PredictedLifetime? = nil
    ) {
        self.allocation = allocation
        self.from = from
        self.workloadGeneration = workloadGeneration
        self.hostGeneration = hostGeneration
        self.reason = reason
        self.message = message
        self.lifetime = lifetime
    }
}
