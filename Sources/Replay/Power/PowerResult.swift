/// What became of a row with more servers than its power was provisioned for.
public struct PowerResult: Sendable, Hashable, Codable {
    /// Beyond those that the row was provisioned for, in per cent of them.
    public var addedPct: Double
    public var servers: Int
    /// Greatest power without a guard and with it, in per cent of the provisioned.
    public var freePeakPct: Double
    public var peakPct: Double
    /// How often everything was braked, with the guard and with nothing but the brake.
    public var brakes: Int
    public var bareBrakes: Int
    /// Time in which power was above the provisioned, in seconds.
    public var overSeconds: Int
    /// Time in which low priority, and high priority, was slowed or braked, in per cent.
    public var lowCappedPct: Double
    public var highCappedPct: Double
    /// Throughput lost to it, in per cent.
    public var lowLossPct: Double
    public var highLossPct: Double
    /// Servers' worth of work that the row does more than without the added ones, in per cent.
    public var gainPct: Double
}
