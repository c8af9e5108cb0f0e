public import Fleet

/// In which order the VMs of a host that is to be emptied move.
///
/// LARS (Ling et al., MLSys 2025) moves the longest first: while the slots are busy with them, the short ones
/// end by themselves and need not move at all.
public enum DrainOrder: String, Sendable, Hashable, Codable, CaseIterable {
    /// Longest predicted remaining lifetime first.
    case lars
    /// Oldest first: needs no model, and has most of the gain where old VMs stay old.
    case creation
    /// As drawn by a seed.
    case random
    /// Most memory first, as that is what is copied.
    case biggest
    /// Shortest predicted remaining lifetime first: the opposite of LARS, for comparison.
    case shortest
    /// Longest true remaining lifetime first: the bound that a perfect model reaches.
    case oracle
}

/// A VM that waits to be moved off its host.
public struct DrainCandidate: Sendable, Hashable {
    /// Decides ties, the lowest first; unique among the VMs of a host.
    public var number: Int
    public var lifetime: VMLifetime
    /// When it ends by itself; known in simulations only.
    public var endsAt: Timestamp?

    public init(number: Int, lifetime: VMLifetime, endsAt: Timestamp? = nil) {
        self.number = number
        self.lifetime = lifetime
        self.endsAt = endsAt
    }
}

extension DrainOrder {
    /// Positions of the VMs in the order in which they move, as uptimes are now.
    func positions(
        of candidates: [DrainCandidate], now: Timestamp, predictor: LifetimePredictor, seed: UInt64
    ) -> [Int] {
        let keys = candidates.map { key($0, now, predictor, seed) }
        return candidates.indices.sorted {
            (keys[$0], candidates[$0].number) < (keys[$1], candidates[$1].number)
        }
    }

    /// Smaller is earlier.
    private func key(
        _ candidate: DrainCandidate, _ now: Timestamp, _ predictor: LifetimePredictor, _ seed: UInt64
    ) -> Double {
        switch self {
        case .lars: -remaining(candidate, now, predictor)
        case .shortest: remaining(candidate, now, predictor)
        case .creation: candidate.lifetime.startedAt.seconds
        case .biggest: -Double(candidate.lifetime.features.resources.memoryMiB)
        case .oracle: -(candidate.endsAt?.since(now).inSeconds ?? .infinity)
        case .random: draw(candidate.number, seed)
        }
    }

    private func remaining(
        _ candidate: DrainCandidate, _ now: Timestamp, _ predictor: LifetimePredictor
    ) -> Double {
        predictor.remaining(
            uptime: now.since(candidate.lifetime.startedAt).inSeconds, of: candidate.lifetime.features)
    }

    private func draw(_ number: Int, _ seed: UInt64) -> Double {
        var hash = StableHash()
        hash.combine(seed)
        hash.combine(number)
        // The hash moves the low bits most: SplitMix64's output function (OOPSLA 2014) spreads them.
        var value = hash.value
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((value ^ (value >> 31)) >> 11)
    }
}
