import Fleet

/// The chain of each policy. The last key of every chain is the order of ids, which the scan supplies.
enum ScoreChain {
    /// First fit asks no more of a host than that it fits, so an empty host is as good as another.
    static let firstFit = DeviceHostsLast()
    static let bestFit = ScorePair(DeviceHostsLast(), ScorePair(EmptyHostsLast(), BestFit()))

    static func of(_ policy: PlacementPolicy) -> any PlacementScore {
        switch policy {
        case .firstFit: firstFit
        case .bestFit: bestFit
        }
    }
}

extension HostTable {
    /// The best host by the chain of `policy`; each chain is a type of its own, so that its scan is compiled
    /// for it.
    func best(for request: CompiledRequest, policy: PlacementPolicy) -> Int? {
        switch policy {
        case .firstFit: best(for: request, by: ScoreChain.firstFit)
        case .bestFit: best(for: request, by: ScoreChain.bestFit)
        }
    }
}
