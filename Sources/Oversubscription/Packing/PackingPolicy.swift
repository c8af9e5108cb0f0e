/// How much of a host a VM is counted with when it is placed.
public enum PackingPolicy: Sendable, Hashable {
    /// Its cores, on hosts that count as `ratio` times as large.
    case ratio(Double)
    /// A percentile of what it used, from 0 to 1; 1 is the most it used.
    case percentile(Double)
    /// A percentile per window of the day; VMs that are busy at different times share cores.
    case windows(Int, percentile: Double)
    /// What it used at each time of the history, times a margin: the past repeats itself to the step.
    case aligned(margin: Double)
    /// Mean and variance, with the bound for a chance of exceeding the host.
    case chance(ChanceBound, Double)
    /// Mean and variance, with a number of standard deviations.
    case sigmas(Double)
    /// The peak of each hour of the day that a model of all VMs leaves a chance of exceeding, each VM a
    /// scope.
    case protoRate(ProtoRateSettings)
}

extension PackingPolicy {
    /// A VM that never ran still costs something, in cores.
    static let leastDemand = 0.02

    /// - Parameter cores: of one host.
    public func room(cores: Double) -> PackingRoom {
        switch self {
        case .ratio(let ratio): PackingRoom(capacity: cores * ratio)
        case .percentile, .windows, .aligned, .protoRate: PackingRoom(capacity: cores)
        case .chance(let bound, let chance):
            PackingRoom(capacity: cores, factor: bound.factor(chance: chance))
        case .sigmas(let sigmas): PackingRoom(capacity: cores, factor: sigmas)
        }
    }

    /// What a VM asks of a host by its own history alone; all that it has where the policy learns from all
    /// VMs.
    ///
    /// - Parameters:
    ///   - cores: of the VM.
    ///   - history: cores that it used, step by step from the beginning of a day.
    ///   - stepsPerDay: a multiple of the policy's windows.
    func demand(cores: Double, history: [Double], stepsPerDay: Int) -> PackingDemand {
        switch self {
        case .ratio, .protoRate:
            return PackingDemand(peaks: [cores])
        case .percentile(let percentile):
            return PackingDemand(peaks: [max(Self.leastDemand, Percentile.of(history, percentile))])
        case .windows(let count, let percentile):
            let windows = DayWindows(count, stepsPerDay: stepsPerDay).split(history)
            return PackingDemand(
                peaks: windows.map { max(Self.leastDemand, Percentile.of($0, percentile)) })
        case .aligned(let margin):
            return PackingDemand(peaks: history.map { $0 * margin })
        case .chance(.hoeffding, _):
            return PackingDemand(peaks: [Moments(history).mean], variance: cores * cores)
        case .chance, .sigmas:
            let moments = Moments(history)
            return PackingDemand(peaks: [moments.mean], variance: moments.populationVariance)
        }
    }
}
