public import Fleet

/// What orders the hosts that pass every constraint. All keep hosts with devices for VMs that ask for some.
///
/// - `first-fit`: the lowest host in the order of ids, empty or not.
/// - `best-fit`: hosts in use before empty ones, then the one with the least left over, `Σ over resources of
///   (free − request) / capacity`, the baseline that lifetime-aware placement is measured against (Ling et
///   al., "LAVA", MLSys 2025); ties go to the lowest id.
/// - `waste`: as best fit, but first the host with the least left over that usual sizes cannot use.
/// - `nilas`: as best fit, but first the host that has to stay in use the least longer.
/// - `lava`: by classes of lifetimes, see `LavaTier`, then as `nilas`.
/// - `gated-lava`: `lava` while the classes predicted were right often enough, below that `nilas`, and with
///   predictions that say little `best-fit`: what to use where nobody watches the model.
/// - `tight-lava`: as `lava`, with finer classes that follow the hosts' exits (`LifetimeLadder.fine`), first
///   the hosts where no CPU is left without memory (`StrandedCPU`), and last `TightFit` instead of best fit.
/// - `la-binary`: as `nilas`, with one step only and the predictions made when VMs started (Barbalho et al.,
///   MLSys 2023); `la-binary-repredict`, `nilas-one-shot` and `lava-one-shot` are for comparison.
public typealias PlacementPolicy = PoolSpec.Placement

extension PlacementPolicy {
    /// The classes that the policy was made for.
    public var ladder: LifetimeLadder { self == .tightLava ? .fine : .paper }

    /// Whether hosts' exits are predicted anew as VMs age.
    public var repredicts: Bool {
        switch self {
        case .laBinaryRepredict, .nilas, .lava, .gatedLava, .tightLava: true
        case .firstFit, .bestFit, .waste, .laBinary, .nilasOneShot, .lavaOneShot: false
        }
    }
}
