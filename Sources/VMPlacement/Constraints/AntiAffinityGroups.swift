import Fleet

/// Which allocations of a cell keep apart: the members of each (project, group).
struct AntiAffinityGroups: Sendable {
    struct Name: Sendable, Hashable {
        var project: String
        var group: String
    }

    struct Member: Sendable {
        var host: HostKey
        var scope: AntiAffinity.Scope
    }

    private var members: [Name: [ID<Allocation>: Member]] = [:]

    mutating func add(_ id: ID<Allocation>, to name: Name, member: Member) {
        members[name, default: [:]][id] = member
    }

    mutating func remove(_ id: ID<Allocation>, from name: Name) {
        members[name]?[id] = nil
        if members[name]?.isEmpty == true { members[name] = nil }
    }

    /// What a new member of scope `scope` must stay out of; nil when the group has no members.
    ///
    /// Both sides are honoured: a member that keeps a rack to itself keeps out a newcomer that would only
    /// mind the host.
    func blocked(
        for name: Name, scope: AntiAffinity.Scope, hosts: HostTable,
        blocking none: BlockedDomains
    ) -> BlockedDomains? {
        guard let present = members[name] else { return nil }
        var blocked = none
        // The marks are a set, so the order of the dictionary does not show.
        for member in present.values {
            guard let slot = hosts.slot(of: member.host) else { continue }
            blocked.add(hosts.tags[slot], scope: max(scope, member.scope))
        }
        return blocked
    }
}

/// Hosts, racks and zones that a request must not go to.
///
/// Hosts that name no rack or zone count as being in one and the same, as nothing shows that they are apart.
struct BlockedDomains: Sendable {
    private var hosts: [Bool]
    private var racks: [Bool]
    private var zones: [Bool]

    /// Nothing blocked among so many numbers of each.
    init(hosts: Int, racks: Int, zones: Int) {
        self.hosts = Array(repeating: false, count: hosts)
        self.racks = Array(repeating: false, count: racks)
        self.zones = Array(repeating: false, count: zones)
    }

    mutating func add(_ tag: HostTag, scope: AntiAffinity.Scope) {
        switch scope {
        case .host: hosts[Int(tag.number)] = true
        case .rack: racks[Int(tag.rack)] = true
        case .zone: zones[Int(tag.zone)] = true
        }
    }

    @inline(__always)
    func contains(_ tag: HostTag) -> Bool {
        hosts[Int(tag.number)] || racks[Int(tag.rack)] || zones[Int(tag.zone)]
    }
}

private func max(_ lhs: AntiAffinity.Scope, _ rhs: AntiAffinity.Scope) -> AntiAffinity.Scope {
    lhs.width >= rhs.width ? lhs : rhs
}

extension AntiAffinity.Scope {
    fileprivate var width: Int {
        switch self {
        case .host: 0
        case .rack: 1
        case .zone: 2
        }
    }
}
