public import Fleet

/// The scores of a policy for one request, in their order. The last key of every chain is the order of ids,
/// which the scan supplies. Each chain is a type of its own, so that its scan is compiled for it.
enum ScoreChain: Sendable {
    /// First fit asks no more of a host than that it fits, so an empty host is as good as another.
    case firstFit(DeviceHostsLast)
    case bestFit(Chain<BestFit>)
    case waste(Chain<ScorePair<StrandedRoom, BestFit>>)
    case temporal(Chain<ScorePair<TemporalCost, BestFit>>)
    case lava(ScorePair<DeviceHostsLast, ScorePair<LavaTier, BestFit>>)
    case tightLava(Chain<ScorePair<StrandedCPU, ScorePair<LavaTier, TightFit>>>)

    typealias Chain<Score: PlacementScore> = ScorePair<DeviceHostsLast, ScorePair<EmptyHostsLast, Score>>

    static let firstFit = firstFit(DeviceHostsLast())
    static let bestFit = bestFit(chain(BestFit()))

    static func waste(_ stranded: StrandedRoom) -> ScoreChain {
        .waste(chain(ScorePair(stranded, BestFit())))
    }

    static func temporal(_ cost: TemporalCost) -> ScoreChain { .temporal(chain(ScorePair(cost, BestFit()))) }

    static func lava(_ tier: LavaTier) -> ScoreChain {
        .lava(ScorePair(DeviceHostsLast(), ScorePair(tier, BestFit())))
    }

    static func tightLava(_ stranded: StrandedCPU, _ tier: LavaTier, _ fit: TightFit) -> ScoreChain {
        .tightLava(chain(ScorePair(stranded, ScorePair(tier, fit))))
    }

    private static func chain<Score: PlacementScore>(_ score: Score) -> Chain<Score> {
        ScorePair(DeviceHostsLast(), ScorePair(EmptyHostsLast(), score))
    }

    var score: any PlacementScore {
        switch self {
        case .firstFit(let score): score
        case .bestFit(let score): score
        case .waste(let score): score
        case .temporal(let score): score
        case .lava(let score): score
        case .tightLava(let score): score
        }
    }
}

extension HostTable {
    /// The best host by a chain.
    func best(for request: CompiledRequest, by chain: ScoreChain) -> Int? {
        switch chain {
        case .firstFit(let score): best(for: request, by: score)
        case .bestFit(let score): best(for: request, by: score)
        case .waste(let score): best(for: request, by: score)
        case .temporal(let score): best(for: request, by: score)
        case .lava(let score): best(for: request, by: score)
        case .tightLava(let score): best(for: request, by: score)
        }
    }
}

extension PlacementCell {
    /// What a policy comes down to now: best fit without lifetimes, and what the gate leaves of `gated-lava`.
    public func followed(_ policy: PlacementPolicy) -> PlacementPolicy {
        guard policy.needsLifetimes else { return policy }
        guard let lifetimes else { return .bestFit }
        guard policy == .gatedLava else { return policy }
        return switch lifetimes.gate {
        case .closed: .bestFit
        case .exits: .nilas
        case .classes: .lava
        }
    }

    /// The chain that orders hosts for a request.
    func chain(for request: VMRequest, policy: PlacementPolicy) -> ScoreChain {
        let policy = followed(policy)
        switch policy {
        case .firstFit: return .firstFit
        case .waste: return .waste(StrandedRoom(shapes.usual))
        case .bestFit, .gatedLava: return .bestFit
        case .laBinary, .laBinaryRepredict, .nilasOneShot, .nilas, .lavaOneShot, .lava, .tightLava: break
        }
        guard let lifetimes else { return .bestFit }
        let arrival = lifetimes.arrival(of: VMFeatures(request), startedAt: request.startedAt?.microseconds)
        let isBinary = policy == .laBinary || policy == .laBinaryRepredict
        let cost = TemporalCost(
            arrival, exits: policy.repredicts ? lifetimes.exits : lifetimes.firstExits,
            boundaries: isBinary ? [.zero] : lifetimes.settings.boundaries)
        switch policy {
        case .lava, .lavaOneShot: return .lava(LavaTier(arrival, lifetimes, cost))
        case .tightLava:
            let stays = lifetimes.stays.isEmpty ? [] : lifetimes.stays[arrival.class.rawValue - 1]
            return .tightLava(
                StrandedCPU(shapes.mostFrequent), LavaTier(arrival, lifetimes, cost), TightFit(stays: stays))
        default: return .temporal(cost)
        }
    }
}
