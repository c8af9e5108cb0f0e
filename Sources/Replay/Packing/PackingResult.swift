/// What one policy saved and what it risked, over the orders in which the VMs came.
public struct PackingResult: Sendable, Hashable, Codable {
    /// As typed.
    public var policy: String
    public var hosts: Spread
    /// vCPUs per core.
    public var ratio: Spread
    /// Hosts fewer than without oversubscription, the VMs in the same order, in percent of those.
    public var savedPct: Spread
    /// Share of all steps of all hosts in which the VMs wanted more than the host has.
    public var hotHostSampleRate: Spread
    /// Share of the hosts with at least one such step.
    public var hotHosts: Spread
    /// Share of all steps of all hosts above nine tenths of the host.
    public var nearlyHotHostSampleRate: Spread
    /// Core time that was wanted and not there, of all that was wanted.
    public var unmetCoreFraction: Spread
}
