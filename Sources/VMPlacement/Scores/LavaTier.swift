/// LAVA's order of hosts for a VM of a lifetime class (Ling et al., MLSys 2025):
///
/// 0. recycling hosts of a longer class, the nearest first: the VM is gone before those that keep the host;
/// 1. open hosts of the same class;
/// 2. other hosts in use, by the temporal cost;
/// 3. empty hosts.
struct LavaTier: PlacementScore {
    static let bits = 2 + TemporalCost.bits

    private let `class`: UInt8
    private let classes: [UInt8]
    private let states: [HostLifetime.State]
    private let cost: TemporalCost

    init(_ arrival: LifetimeTable.Arrival, _ lifetimes: LifetimeTable, _ cost: TemporalCost) {
        `class` = UInt8(arrival.class.rawValue)
        classes = lifetimes.classes
        states = lifetimes.states
        self.cost = cost
    }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        switch states[slot] {
        case .empty: return 3 << UInt64(TemporalCost.bits)
        case .recycling where classes[slot] > `class`: return UInt64(classes[slot] - `class`)
        case .open where classes[slot] == `class`: return 1 << UInt64(TemporalCost.bits)
        case .open, .recycling:
            return 2 << UInt64(TemporalCost.bits) | cost.value(of: slot, for: request, in: hosts)
        }
    }

    func words(_ value: UInt64) -> [String] {
        let tier = value >> UInt64(TemporalCost.bits)
        let rest = value & (1 << UInt64(TemporalCost.bits) - 1)
        let reason =
            switch tier {
            case 0: "fills a gap of a host \(rest) \(rest == 1 ? "class" : "classes") longer"
            case 1: "open host of its class"
            case 2: "other host, \(cost.reason(Int(rest)))"
            default: "empty host"
            }
        return ["lava=\(tier).\(rest) (\(reason))"]
    }
}
