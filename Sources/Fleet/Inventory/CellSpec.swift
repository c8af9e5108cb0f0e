/// A set of hosts scheduled as one unit.
public struct CellSpec: DocumentSpec {
    public static let kind = Kind.cell
    public var description: String?
    /// Policy documents that engines go by where neither pool nor host names one.
    public var policies: ScopePolicies?

    public init(description: String? = nil, policies: ScopePolicies? = nil) {
        self.description = description
        self.policies = policies
    }

    public func defects() -> [FieldDefect] { policies?.defects(at: "spec.policies") ?? [] }
}

public struct CellStatus: Sendable, Hashable, Codable {
    /// Nil until there is one.
    public var conditions: [Condition]?

    public init(conditions: [Condition]? = nil) { self.conditions = conditions }
}

/// Hosts of a cell with the same use.
public struct PoolSpec: DocumentSpec {
    public enum Use: String, Sendable, Hashable, Codable, CaseIterable { case vm, training, serving }
    public enum Placement: String, Sendable, Hashable, ClosedWord {
        case firstFit = "first-fit"
        case bestFit = "best-fit"
        case waste
        case laBinary = "la-binary"
        case laBinaryRepredict = "la-binary-repredict"
        case nilasOneShot = "nilas-one-shot"
        case nilas
        case lavaOneShot = "lava-one-shot"
        case lava
        case gatedLava = "gated-lava"
        case tightLava = "tight-lava"

        /// Whether it goes by predictions of lifetimes.
        public var needsLifetimes: Bool {
            switch self {
            case .firstFit, .bestFit, .waste: false
            case .laBinary, .laBinaryRepredict, .nilasOneShot, .nilas, .lavaOneShot, .lava, .gatedLava,
                .tightLava:
                true
            }
        }
    }

    public static let kind = Kind.pool
    public var cell: String
    public var admits: [Use]
    /// Built-in policy of VM placement; best fit when absent.
    public var placement: Placement?
    /// Policy documents that engines go by here.
    public var policies: PoolPolicies?
    /// Policy that is asked about every placement and not followed: plans say how often it would have chosen
    /// another host.
    public var shadow: Placement?
    /// vCPUs sold per vCPU of the standard and spot classes, per mille; 1000 is no oversubscription.
    public var cpuRatioPerMille: Int?
    /// When drains of the pool's hosts may go on; at any time when absent.
    public var maintenance: MaintenanceSpec?
    /// What drains of the pool's hosts must leave running.
    public var disruptionBudgets: [DisruptionBudget]?
    /// How VMs move when hosts of the pool are emptied.
    public var migrations: MigrationRules?
    /// When hosts are emptied so that more of them are whole; never when absent.
    public var defragmentation: DefragmentationRules?
    /// How training jobs are scheduled here.
    public var training: TrainingRules?

    public init(
        cell: String, admits: [Use], placement: Placement? = nil, policies: PoolPolicies? = nil,
        shadow: Placement? = nil, cpuRatioPerMille: Int? = nil, maintenance: MaintenanceSpec? = nil,
        disruptionBudgets: [DisruptionBudget]? = nil, migrations: MigrationRules? = nil,
        defragmentation: DefragmentationRules? = nil, training: TrainingRules? = nil
    ) {
        self.cell = cell
        self.admits = admits
        self.placement = placement
        self.policies = policies
        self.shadow = shadow
        self.cpuRatioPerMille = cpuRatioPerMille
        self.maintenance = maintenance
        self.disruptionBudgets = disruptionBudgets
        self.migrations = migrations
        self.defragmentation = defragmentation
        self.training = training
    }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if let defect = Name.defect(in: cell) {
            found.append(.init(field: "spec.cell", code: .invalid, message: "\"\(cell)\" \(defect)"))
        }
        if admits.isEmpty {
            found.append(
                .init(
                    field: "spec.admits", code: .required,
                    message: "name at least one of vm, training, serving"))
        }
        if let policy = policies?.placement {
            if let defect = Name.defect(in: policy) {
                found.append(
                    .init(
                        field: "spec.policies.placement", code: .invalid,
                        message: "\"\(policy.prefix(80))\" \(defect)"))
            }
            if placement != nil {
                found.append(
                    .init(
                        field: "spec.policies.placement", code: .conflict,
                        message: "give placement, a built-in policy, or policies.placement, not both"))
            }
        }
        if let policy = policies?.oversubscription {
            found += ScopePolicies(oversubscription: policy).defects(at: "spec.policies")
        }
        if let ratio = cpuRatioPerMille, !(1000...16_000).contains(ratio) {
            found.append(
                .init(
                    field: "spec.cpuRatioPerMille", code: .outOfRange,
                    message:
                        "\(ratio) is outside 1000 to 16000; the nearest is \(min(max(ratio, 1000), 16_000))"))
        }
        found += maintenance?.defects(at: "spec.maintenance") ?? []
        for (index, budget) in (disruptionBudgets ?? []).enumerated() where budget.maxDisrupted < 0 {
            found.append(
                .init(
                    field: "spec.disruptionBudgets[\(index)].maxDisrupted", code: .outOfRange,
                    message: "\(budget.maxDisrupted) is below 0"))
        }
        found += migrations?.defects(at: "spec.migrations") ?? []
        found += defragmentation?.defects(at: "spec.defragmentation") ?? []
        found += training?.defects(at: "spec.training") ?? []
        return found
    }
}

public struct PoolStatus: Sendable, Hashable, Codable {
    /// What predicts the lifetimes of its VMs; nil where placement does not go by them.
    public var predictor: PredictorInUse?
    /// Nil until it was measured, and for pools that take no VMs.
    public var room: PoolRoom?

    public init(predictor: PredictorInUse? = nil, room: PoolRoom? = nil) {
        self.predictor = predictor
        self.room = room
    }
}

/// What predicts lifetimes in a pool, and why that.
public struct PredictorInUse: Sendable, Hashable, Codable {
    public var form: PredictorForm
    /// Name of the model; nil for what is learned as VMs end.
    public var model: String?
    /// Why not what the policy asks for, or that it is.
    public var reason: Reason
    public var message: String
    public var since: Timestamp

    public init(form: PredictorForm, model: String? = nil, reason: Reason, message: String, since: Timestamp)
    {
        self.form = form
        self.model = model
        self.reason = reason
        self.message = message
        self.since = since
    }

    /// Whether both predict the same for the same reason, whenever they began to.
    public func isSame(as other: PredictorInUse?) -> Bool {
        var other = other
        other?.since = since
        return self == other
    }
}

/// What the free room of a pool is good for, measured every minute or so.
public struct PoolRoom: Sendable, Hashable, Codable {
    /// Hosts that take VMs.
    public var hosts: Int
    public var emptyHosts: Int
    /// CPU that stays free when the hosts are filled up with VMs like those of the last day, per mille of
    /// all; nil while none has come.
    public var strandedCpuPerMille: Int?
    public var strandedMemoryPerMille: Int?
    /// How many VMs of large sizes fit.
    public var obtainable: [Obtainable]

    /// VMs of one size that fit, no other coming or going.
    public struct Obtainable: Sendable, Hashable, Codable {
        public var milliCPU: Int
        public var memoryMiB: Int
        public var vms: Int

        public init(milliCPU: Int, memoryMiB: Int, vms: Int) {
            self.milliCPU = milliCPU
            self.memoryMiB = memoryMiB
            self.vms = vms
        }
    }

    public init(
        hosts: Int, emptyHosts: Int, strandedCpuPerMille: Int? = nil, strandedMemoryPerMille: Int? = nil,
        obtainable: [Obtainable] = []
    ) {
        self.hosts = hosts
        self.emptyHosts = emptyHosts
        self.strandedCpuPerMille = strandedCpuPerMille
        self.strandedMemoryPerMille = strandedMemoryPerMille
        self.obtainable = obtainable
    }
}

/// Names of policy documents, one for each engine that has them.
public struct PoolPolicies: Sendable, Hashable, Codable {
    /// Policy of type placement.
    public var placement: String?
    /// Policy of type oversubscription; while it counts, `cpuRatioPerMille` does not.
    public var oversubscription: String?

    public init(placement: String? = nil, oversubscription: String? = nil) {
        self.placement = placement
        self.oversubscription = oversubscription
    }
}

/// Names of policy documents that cells and hosts have as pools do.
public struct ScopePolicies: Sendable, Hashable, Codable {
    /// Policy of type oversubscription.
    public var oversubscription: String?

    public init(oversubscription: String? = nil) { self.oversubscription = oversubscription }

    func defects(at field: String) -> [FieldDefect] {
        guard let oversubscription, let defect = Name.defect(in: oversubscription) else { return [] }
        return [
            .init(
                field: "\(field).oversubscription", code: .invalid,
                message: "\"\(oversubscription.prefix(80))\" \(defect)")
        ]
    }
}
