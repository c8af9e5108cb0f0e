public import VMPlacement

/// What one order of migrations came to.
public struct DrainResult: Sendable, Hashable, Codable {
    public var order: DrainOrder
    /// Hosts emptied, all samples together.
    public var hosts: Int
    /// VMs that were moved.
    public var migrations: Int
    /// VMs that ended before their turn.
    public var avoided: Int
    /// Migrations against those of random order, per cent.
    public var changePct: Double
    /// Mean over the hosts.
    public var hoursToEmpty: Double
}
