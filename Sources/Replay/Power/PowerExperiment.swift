internal import Oversubscription

/// Puts more servers on a row than its power was provisioned for, and counts what keeping within it costs:
/// `basalt simulate power`.
///
/// Every added server does what the others do at the same time, so bursts grow with the row: the hard case.
public struct PowerExperiment: Sendable {
    /// What is simulated.
    public struct Options: Sendable, Hashable {
        /// Servers that the row was provisioned for.
        public var servers: Int
        /// In per cent of them, one after another on the same trace.
        public var added: [Double]
        public var shape: PowerTrace.Shape
        /// Shares of the provisioned power.
        public var first: Double
        public var second: Double
        /// Takes both thresholds from the trace of the row as provisioned, in place of `first` and `second`.
        public var derivesThresholds: Bool
        /// Share of a server's power that its GPUs draw.
        public var gpuShare: Double

        public init(
            servers: Int = 40, added: [Double] = [0, 10, 20, 30, 40, 50], shape: PowerTrace.Shape = .init(),
            first: Double = 0.80, second: Double = 0.89, derivesThresholds: Bool = false,
            gpuShare: Double = 0.5
        ) {
            self.servers = servers
            self.added = added
            self.shape = shape
            self.first = first
            self.second = second
            self.derivesThresholds = derivesThresholds
            self.gpuShare = gpuShare
        }

        func validate() throws(OptionError) {
            try OptionError.check("servers", servers, in: 1...100_000)
            guard !added.isEmpty else {
                throw OptionError(field: "added", value: "", expected: "at least one share", nearest: "30")
            }
            for share in added { try OptionError.check("added", share, in: 0...1000) }
            try OptionError.check("t2", second, in: 0.1...1)
            try OptionError.check("t1", first, in: 0.05...second)
            try OptionError.check("gpu-share", gpuShare, in: 0...1)
            try shape.validate()
        }
    }

    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try options.validate()
        self.options = options
    }

    /// - Returns: one result per share of added servers, in the order of the options.
    public func run() throws(OptionError) -> [PowerResult] {
        let trace = try PowerTrace(options.shape)
        let settings = settings(trace)
        return options.added.map { added in
            let servers = Int((Double(options.servers) * (1 + added / 100)).rounded())
            let scale = Double(servers) / Double(options.servers)
            let guarded = PowerRun(trace, scale: scale, settings: settings, gpuShare: options.gpuShare)
            let bare = PowerRun(
                trace, scale: scale, settings: Self.brakeOnly, gpuShare: options.gpuShare)
            return guarded.result(added: added, servers: servers, bareBrakes: bare.brakes)
        }
    }

    /// What the guard goes by.
    func settings(_ trace: PowerTrace) -> PowerSettings {
        let given = PowerSettings(first: options.first, second: options.second)
        guard options.derivesThresholds else { return given }
        return given.derived(from: trace.row, stepSeconds: PowerTrace.stepSeconds) ?? given
    }

    /// Thresholds that nothing reaches before the brake does.
    private static let brakeOnly = PowerSettings(first: 1e9, second: 1e9)
}

/// One pass over a trace.
private struct PowerRun {
    private(set) var brakes = 0
    private var freePeak = 0.0
    private var peak = 0.0
    private var over = 0
    private var capped: [PowerPriority: Int] = [:]
    /// Work that was and that would have been done without caps, in servers' samples.
    private var done: [PowerPriority: Double] = [:]
    private var asked: [PowerPriority: Double] = [:]
    private let samples: Int
    private let scale: Double

    init(_ trace: PowerTrace, scale: Double, settings: PowerSettings, gpuShare: Double) {
        samples = trace.low.count
        self.scale = scale
        var powerGuard = PowerGuard(settings)
        var row = PoweredRow(clocks: .a100, gpuShare: gpuShare)
        for (step, pair) in zip(trace.low, trace.high).enumerated() {
            let now = step * PowerTrace.stepSeconds
            row.advance(to: now)
            let low = row.point(.low, brakeClock: settings.brakeClock)
            let high = row.point(.high, brakeClock: settings.brakeClock)
            let asked = (low: scale * trace.lowShare * pair.0, high: scale * (1 - trace.lowShare) * pair.1)
            let power = asked.low * low.power + asked.high * high.power
            count(.low, asked.low, speed: low.speed)
            count(.high, asked.high, speed: high.speed)
            freePeak = max(freePeak, asked.low + asked.high)
            peak = max(peak, power)
            over += power > 1 ? 1 : 0
            let commands = powerGuard.observe(power: power, at: now)
            brakes += commands.count { $0.action == .brake(true) }
            row.send(commands)
        }
    }

    private mutating func count(_ priority: PowerPriority, _ work: Double, speed: Double) {
        asked[priority, default: 0] += work
        done[priority, default: 0] += work * speed
        capped[priority, default: 0] += speed < 1 ? 1 : 0
    }

    func result(added: Double, servers: Int, bareBrakes: Int) -> PowerResult {
        let work = PowerPriority.allCases.reduce(0) { $0 + (done[$1] ?? 0) }
        let without = PowerPriority.allCases.reduce(0) { $0 + (asked[$1] ?? 0) } / scale
        return PowerResult(
            addedPct: added, servers: servers, freePeakPct: freePeak * 100, peakPct: peak * 100,
            brakes: brakes, bareBrakes: bareBrakes, overSeconds: over * PowerTrace.stepSeconds,
            lowCappedPct: share(.low), highCappedPct: share(.high), lowLossPct: loss(.low),
            highLossPct: loss(.high), gainPct: without == 0 ? 0 : (work / without - 1) * 100)
    }

    private func share(_ priority: PowerPriority) -> Double {
        Double(capped[priority] ?? 0) / Double(max(1, samples)) * 100
    }

    private func loss(_ priority: PowerPriority) -> Double {
        guard let asked = asked[priority], asked > 0 else { return 0 }
        return (1 - (done[priority] ?? 0) / asked) * 100
    }
}
