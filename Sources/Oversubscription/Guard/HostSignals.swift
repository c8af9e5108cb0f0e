/// What a host says of how its cores fare, over the interval that ends with it.
public struct HostSignals: Sendable, Hashable, Codable {
    /// One of them.
    public enum Signal: String, Sendable, Hashable, Codable, CaseIterable {
        case use, pressure, steal, runDelay, guaranteedRunDelay
    }

    /// The end of the interval, in seconds.
    public var at: Int
    /// Share of the cores in use.
    public var use: Double
    /// Share of the time in which some task waited for a core (`some` of pressure stall information).
    public var pressure: Double
    /// Share of the time that the machine below took from the host, where it is a VM itself.
    public var steal: Double
    /// Share of the time for which runnable vCPUs waited.
    public var runDelay: Double
    /// The same of vCPUs of the guaranteed class alone.
    public var guaranteedRunDelay: Double

    public init(
        at: Int, use: Double, pressure: Double = 0, steal: Double = 0, runDelay: Double = 0,
        guaranteedRunDelay: Double = 0
    ) {
        self.at = at
        self.use = use
        self.pressure = pressure
        self.steal = steal
        self.runDelay = runDelay
        self.guaranteedRunDelay = guaranteedRunDelay
    }

    public subscript(signal: Signal) -> Double {
        switch signal {
        case .use: use
        case .pressure: pressure
        case .steal: steal
        case .runDelay: runDelay
        case .guaranteedRunDelay: guaranteedRunDelay
        }
    }
}
