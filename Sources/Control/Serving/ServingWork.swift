internal import Fleet
internal import Store

/// What a deployment needs next, given its plan and what the ledger holds of it: pure.
struct ServingWork {
    /// How one group of a plan is.
    enum Standing: Equatable {
        /// Every part runs, on hosts that are there.
        case running
        /// Parts have their room; not all of them run yet, or a host lost contact.
        case held
        /// Parts are to stop.
        case leaving
        /// Some parts are there and some are not.
        case broken
        case missing
    }

    /// Allocations that belong to no group of the plan, or to a broken one.
    private(set) var releases: [Allocation] = []
    /// Groups without parts.
    private(set) var missing: [ServingPlanSummary.Group] = []
    /// Names of the groups that serve.
    private(set) var live: Set<String> = []

    /// - Parameter parts: unreleased allocations that write for the deployment.
    init(_ plan: ServingPlanSummary, parts: [PartView]) {
        var kept: Set<ID<Allocation>> = []
        for group in plan.groups {
            let own = Self.parts(of: group, among: parts)
            switch Self.standing(of: group, own) {
            case .running:
                live.insert(group.name)
                kept.formUnion(own.map(\.allocation.id))
            case .held: kept.formUnion(own.map(\.allocation.id))
            case .leaving, .broken: break
            case .missing: missing.append(group)
            }
        }
        releases = parts.map(\.allocation).filter { !kept.contains($0.id) && $0.state != .releasing }
    }

    /// What the ledger holds of a group, as the plan has it.
    static func parts(of group: ServingPlanSummary.Group, among parts: [PartView]) -> [PartView] {
        let wanted = Dictionary(
            group.hosts.enumerated().map { (group.part($0), (host: $1, devices: group.devices(on: $1))) },
            uniquingKeysWith: { first, _ in first })
        return parts.filter { part in
            guard let place = wanted[part.allocation.workload.part] else { return false }
            return part.host == place.host && part.allocation.devices == place.devices
        }
    }

    static func standing(of group: ServingPlanSummary.Group, _ own: [PartView]) -> Standing {
        guard !own.isEmpty else { return .missing }
        if own.contains(where: { $0.allocation.state == .releasing }) { return .leaving }
        guard own.count == group.parts.count else { return .broken }
        let runs = own.allSatisfy { $0.allocation.state == .active && $0.contact == .ready }
        return runs ? .running : .held
    }
}

extension ServingPlanSummary.Group {
    /// UUIDs, sorted.
    func devices(on host: String) -> [String] {
        stages.filter { $0.host == host }.flatMap(\.devices).sorted()
    }

    func width(on host: String) -> Int { stages.filter { $0.host == host }.reduce(0) { $0 + $1.width } }
}
