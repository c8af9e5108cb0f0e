/// What an operator decides about a machine.
public struct HostSpec: DocumentSpec {
    public static let kind = Kind.host
    public var cell: String
    public var pool: String
    /// No new placements; what runs goes on.
    public var cordoned: Bool?
    /// Workloads are moved or stopped until the host is empty; implies `cordoned`.
    public var draining: Bool?
    /// Required with `cordoned` and `draining`: why, for whoever finds the host so.
    public var cordonReason: String?
    /// How the drain goes about it; the defaults when absent.
    public var drain: DrainSpec?
    /// When drains may go on; the pool's when absent, and at any time when neither says.
    public var maintenance: MaintenanceSpec?
    /// Policy documents of this host alone; those of the pool, else of the cell, when absent.
    public var policies: ScopePolicies?
    /// That it is to be mended, and how far that is; nil when it is not.
    public var repair: HostRepair?

    public init(
        cell: String, pool: String, cordoned: Bool? = nil, draining: Bool? = nil, cordonReason: String? = nil,
        drain: DrainSpec? = nil, maintenance: MaintenanceSpec? = nil, policies: ScopePolicies? = nil,
        repair: HostRepair? = nil
    ) {
        self.repair = repair
        self.cell = cell
        self.pool = pool
        self.cordoned = cordoned
        self.draining = draining
        self.cordonReason = cordonReason
        self.drain = drain
        self.maintenance = maintenance
        self.policies = policies
    }

    public var isSchedulable: Bool { cordoned != true && draining != true }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if let defect = Name.defect(in: cell) {
            found.append(.init(field: "spec.cell", code: .invalid, message: "\"\(cell)\" \(defect)"))
        }
        if let defect = Name.defect(in: pool) {
            found.append(.init(field: "spec.pool", code: .invalid, message: "\"\(pool)\" \(defect)"))
        }
        if !isSchedulable, (cordonReason ?? "").isEmpty {
            found.append(
                .init(
                    field: "spec.cordonReason", code: .required,
                    message: "say why the host takes no workloads"))
        }
        found += drain?.defects(at: "spec.drain") ?? []
        found += maintenance?.defects(at: "spec.maintenance") ?? []
        found += policies?.defects(at: "spec.policies") ?? []
        found += repair?.defects(at: "spec.repair") ?? []
        return found
    }
}

/// How far the controllers trust what they know of a host.
public enum HostContact: String, Sendable, Hashable, Codable, CaseIterable {
    /// The session renews its lease.
    case ready = "Ready"
    /// The lease ran out; workloads that stop by themselves have not certainly done so yet.
    case suspect = "Suspect"
    /// Every `onPartition: stop` workload of the host has certainly stopped.
    case fenced = "Fenced"
}

public struct HostStatus: Sendable, Hashable, Codable {
    public var inventory: HostInventory
    public var contact: HostContact
    /// Agent session that holds the host.
    public var session: String?
    public var conditions: [Condition]

    public init(
        inventory: HostInventory, contact: HostContact, session: String? = nil, conditions: [Condition] = []
    ) {
        self.inventory = inventory
        self.contact = contact
        self.session = session
        self.conditions = conditions
    }
}
