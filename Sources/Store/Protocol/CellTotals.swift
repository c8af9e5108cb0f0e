public import Fleet

/// Sums over the hosts of a cell and what is taken of them.
public struct CellTotals: Sendable, Hashable {
    public var cell: String
    public var hosts = 0
    public var readyHosts = 0
    /// Hosts without an unreleased allocation.
    public var emptyHosts = 0
    /// Of all hosts, without what is reserved.
    public var capacity = Resources.zero
    /// CPU as admission counts it: the shared part divided by the ratio.
    public var used = Resources.zero
    /// CPU, without what is reserved, of hosts that are not empty.
    public var busyMilliCPU = 0
    public var devices = 0
    public var usedDevices = 0
    /// Not released.
    public var allocations = 0
    /// Of these, reported running.
    public var running = 0

    public init(cell: String) { self.cell = cell }
}
