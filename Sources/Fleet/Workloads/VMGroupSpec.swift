/// VMs of one template, so many at a time, as their owner wants them.
public struct VMGroupSpec: DocumentSpec {
    public static let kind = Kind.vmGroup

    /// How the members are placed.
    public enum Placement: String, Sendable, Hashable, Codable, CaseIterable {
        /// Those that have no host get theirs in one plan, in one cell, or none does.
        case all
        /// Each for itself.
        case any
    }

    /// What the members keep out of each other's way.
    public enum Separation: String, Sendable, Hashable, Codable, CaseIterable {
        case none, host, rack, zone

        public var scope: AntiAffinity.Scope? {
            switch self {
            case .none: nil
            case .host: .host
            case .rack: .rack
            case .zone: .zone
            }
        }
    }

    /// Members that there shall be.
    public var replicas: Int
    /// `any` when absent.
    public var placement: Placement?
    /// `none` when absent. Members then keep apart as VMs that name an anti-affinity group called as this
    /// one.
    public var antiAffinity: Separation?
    public var template: VMTemplate

    public init(
        replicas: Int, placement: Placement? = nil, antiAffinity: Separation? = nil, template: VMTemplate
    ) {
        self.replicas = replicas
        self.placement = placement
        self.antiAffinity = antiAffinity
        self.template = template
    }

    /// Whether its members are placed together.
    public var isGang: Bool { placement == .all }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if !(1...WorkloadLimit.replicas).contains(replicas) {
            found.append(
                .init(
                    field: "spec.replicas", code: .outOfRange,
                    message: "\(replicas) is outside 1 to \(WorkloadLimit.replicas)"))
        }
        if antiAffinity?.scope != nil, template.spec.antiAffinity != nil {
            found.append(
                .init(
                    field: "spec.template.spec.antiAffinity", code: .conflict,
                    message: "the group keeps its members apart; give one of the two"))
        }
        return found + template.defects(at: "spec.template")
    }
}

/// What the members of a group are made from.
public struct VMTemplate: Sendable, Equatable, Codable {
    /// Labels of the members, beside the one that names the group.
    public var labels: [String: String]?
    public var spec: VMSpec

    public init(labels: [String: String]? = nil, spec: VMSpec) {
        self.labels = labels
        self.spec = spec
    }

    /// Labels that a template may hold: one less than a document, for the group's own.
    static let labelLimit = 63

    func defects(at field: String) -> [FieldDefect] {
        var found = spec.defects().map { defect in
            var defect = defect
            defect.field = "\(field).\(defect.field)"
            return defect
        }
        if spec.group != nil {
            found.append(
                .init(
                    field: "\(field).spec.group", code: .invalid, message: "is written by the controllers"))
        }
        let labels = labels ?? [:]
        if labels.count > Self.labelLimit {
            found.append(
                .init(
                    field: "\(field).labels", code: .outOfRange,
                    message: "\(labels.count) entries; the limit is \(Self.labelLimit)"))
        }
        if labels[GroupMembership.label] != nil {
            found.append(
                .init(
                    field: "\(field).labels", code: .conflict,
                    message: "\(GroupMembership.label) names the group; leave it out"))
        }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            if let defect = Name.labelDefect(key: key, value: value) {
                found.append(.init(field: "\(field).labels", code: .invalid, message: defect))
            }
        }
        return found
    }
}

extension VMGroupSpec {
    /// Longest name of a group: its members' names are longer by `-` and the greatest ordinal.
    public static let nameLimit = Name.lengthLimit - 1 - String(WorkloadLimit.replicas - 1).utf8.count

    public static func memberName(_ group: String, _ ordinal: Int) -> String { "\(group)-\(ordinal)" }

    /// Labels of every member of a group of this name.
    public func memberLabels(of group: String) -> [String: String] {
        (template.labels ?? [:]).merging([GroupMembership.label: group]) { _, own in own }
    }

    /// Spec of one member of the group that `metadata` is of.
    public func memberSpec(of group: Metadata, ordinal: Int) -> VMSpec {
        var spec = template.spec
        if let scope = antiAffinity?.scope {
            spec.antiAffinity = AntiAffinity(group: group.name, scope: scope)
        }
        spec.group = GroupMembership(
            name: group.name, uid: group.uid, ordinal: ordinal, placement: placement ?? .any)
        return spec
    }

    /// Whether a member is as the template says now. What its owner may change of a VM does not count.
    public func describes(_ member: VMSpec, labels: [String: String], ordinal: Int, of group: Metadata)
        -> Bool
    {
        var (wanted, found) = (memberSpec(of: group, ordinal: ordinal), member)
        wanted.lifetimeHintSeconds = nil
        found.lifetimeHintSeconds = nil
        return wanted == found && (template.labels ?? [:]).allSatisfy { labels[$0.key] == $0.value }
    }

    /// What would have to change under members that are there.
    public func immutableDefects(since before: VMGroupSpec) -> [FieldDefect] {
        let checks = [
            ("spec.placement", (placement ?? .any) == (before.placement ?? .any)),
            ("spec.antiAffinity", antiAffinity?.scope == before.antiAffinity?.scope),
            ("spec.template.spec.cell", template.spec.cell == before.template.spec.cell),
        ]
        return checks.filter { !$0.1 }.map { field, _ in
            FieldDefect(
                field: field, code: .immutable, message: "cannot change; delete the group and create it again"
            )
        }
    }
}
