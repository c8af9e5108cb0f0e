internal import Fleet
internal import Foundation

/// What a schedule may hit.
public struct FaultSurface: Sendable, Hashable {
    /// Names, sorted.
    public var hosts: [String]
    public var agents: [String]
    public var racks: [String]
    public var controllers: [String]
    public var projects: [String]

    public init(
        hosts: [String], agents: [String], racks: [String], controllers: [String], projects: [String] = []
    ) {
        self.projects = projects
        self.hosts = hosts
        self.agents = agents
        self.racks = racks
        self.controllers = controllers
    }

    /// One that a kind can hit; nil when there is none.
    func target(of kind: FaultKind, _ random: inout FaultRandom) -> FaultTarget? {
        switch kind.layer {
        case .agent where kind == .clockOffset && random.chance(0.5):
            return random.pick(controllers).map { FaultTarget(.controller, $0) }
        case .agent: return random.pick(agents).map { FaultTarget(.agent, $0) }
        case .network where kind == .rackPartition: return random.pick(racks).map { FaultTarget(.rack, $0) }
        case .network: return random.pick(agents).map { FaultTarget(.link, $0) }
        case .host, .workload, .device: return random.pick(hosts).map { FaultTarget(.host, $0) }
        case .controller: return random.pick(controllers).map { FaultTarget(.controller, $0) }
        case .store: return FaultTarget(.store, "primary")
        case .policy where kind == .quotaTooLow:
            return random.pick(projects).map { FaultTarget(.project, $0) }
        case .policy where kind == .labelDrift: return random.pick(hosts).map { FaultTarget(.host, $0) }
        case .policy: return nil
        }
    }
}

/// Faults in the order of their starts.
public struct FaultSchedule: Sendable, Hashable, Codable {
    public var faults: [Fault]

    /// - Parameter faults: in any order.
    public init(_ faults: [Fault] = []) {
        self.faults = faults.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    /// Draws faults as a Poisson process of the mixes' rates; the same for the same arguments.
    ///
    /// - Parameters:
    ///   - duration: faults begin and end within it.
    ///   - acceleration: factor on the rates: published ones give a fleet of 24 hosts one fault in three days.
    ///   - kinds: others are left out.
    public static func drawn(
        seed: UInt64, surface: FaultSurface, duration: Duration, mixes: [FaultMix] = FaultMix.published,
        acceleration: Double, kinds: Set<FaultKind> = Set(FaultKind.allCases)
    ) -> FaultSchedule {
        var random = FaultRandom(seed: seed)
        var faults: [Fault] = []
        for mix in mixes {
            let perSecond = mix.perHostDay * Double(surface.hosts.count) * acceleration / 86_400
            guard perSecond > 0 else { continue }
            var seconds = 0.0
            while true {
                seconds += -log(1 - random.nextUnit()) / perSecond
                guard seconds < duration.inSeconds, let share = mix.share(random.nextUnit()) else { break }
                let spread = share.seconds.upperBound / share.seconds.lowerBound
                let length = share.seconds.lowerBound * pow(spread, random.nextUnit())
                let parameters = FaultParameters.drawn(for: share.kind, &random)
                guard let target = surface.target(of: share.kind, &random), kinds.contains(share.kind),
                    seconds + length < duration.inSeconds
                else { continue }
                faults.append(
                    Fault(
                        id: 0, kind: share.kind, target: target, parameters: parameters,
                        start: .microseconds(Int64(seconds * 1_000_000)),
                        lease: .microseconds(Int64(length * 1_000_000))))
            }
        }
        // The sort is stable in effect: no two draws of one mix share a microsecond, and mixes are in order.
        faults = FaultSchedule(faults).faults
        for index in faults.indices { faults[index].id = index }
        return FaultSchedule(faults)
    }
}

extension FaultMix {
    /// The share at a point of [0, 1).
    fileprivate func share(_ unit: Double) -> Share? {
        var left = unit * shares.reduce(0) { $0 + $1.weight }
        for share in shares {
            left -= share.weight
            if left < 0 { return share }
        }
        return shares.last
    }
}

extension FaultParameters {
    fileprivate static func drawn(for kind: FaultKind, _ random: inout FaultRandom) -> FaultParameters {
        // Always as many draws, so that a kind's parameters do not move what follows it.
        let (first, second) = (random.nextUnit(), random.nextUnit())
        var drawn = FaultParameters()
        switch kind {
        case .linkLoss, .linkDuplicate, .heartbeatDrop, .storeConflict, .storeOutcomeUnknown, .vmStartFailure,
            .storeConnectionsExhausted, .storeRoleLimit:
            drawn.probability = 0.1 + 0.8 * first
        case .linkDelay, .storeSlow: drawn.delaySeconds = 0.05 * pow(200, first)
        case .clockOffset: drawn.offsetSeconds = (first < 0.5 ? -1 : 1) * pow(3600, second)
        case .wrongInventory: drawn.count = 1 + Int(first * 4)
        default: break
        }
        if [.controllerCrash, .storeOutcomeUnknown, .storeRestart].contains(kind) {
            drawn.commits = second < 0.5
        }
        return drawn
    }
}
