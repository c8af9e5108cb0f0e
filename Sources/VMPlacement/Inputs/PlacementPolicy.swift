public import Fleet

/// What orders the hosts that pass every constraint. Both keep hosts with devices for VMs that ask for some.
///
/// - `first-fit`: the lowest host in the order of ids, empty or not.
/// - `best-fit`: hosts in use before empty ones, then the one with the least left over, `Σ over resources of
///   (free − request) / capacity`, the baseline that lifetime-aware placement is measured against (Ling et
///   al., "LAVA", MLSys 2025); ties go to the lowest id.
public typealias PlacementPolicy = PoolSpec.Placement
