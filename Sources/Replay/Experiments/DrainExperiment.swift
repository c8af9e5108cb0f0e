import Fleet
public import VMPlacement

/// Empties hosts of a fleet that a trace keeps in use, once per order of migrations: `basalt simulate drain`.
///
/// At every sample of the window each chosen host is emptied as if it were alone; the fleet goes on
/// untouched.
public struct DrainExperiment: Sendable {
    /// What is simulated beside the fleet.
    public struct Options: Sendable, Hashable {
        public var orders: [DrainOrder]
        /// Migrations of one host at once.
        public var slots: Int
        /// What one takes.
        public var minutes: Int
        /// Share of the hosts in use that are emptied, those with the least used vCPUs first.
        public var fraction: Double

        public static let slotLimit = 1000
        public static let minuteLimit = 10_080

        public init(
            orders: [DrainOrder] = DrainOrder.allCases, slots: Int = 3, minutes: Int = 20,
            fraction: Double = 1
        ) {
            self.orders = orders
            self.slots = slots
            self.minutes = minutes
            self.fraction = fraction
        }
    }

    private let fleet: VMExperiment
    private let options: Options

    /// - Parameter fleet: of one policy, with a predictor; its sample step is the time between drains.
    /// - Throws: `OptionError` for options that cannot be used.
    public init(fleet: VMExperiment.Options, options: Options) throws(OptionError) {
        self.fleet = try VMExperiment(options: fleet)
        self.options = options
        guard fleet.prediction != nil else {
            throw OptionError(
                field: "predictor", value: "", expected: "a predictor of lifetimes", nearest: "oracle:0.5")
        }
        guard (1...Options.slotLimit).contains(options.slots) else {
            throw OptionError(
                field: "slots", value: "\(options.slots)", expected: "1 to \(Options.slotLimit)",
                nearest: options.slots < 1 ? "1" : "\(Options.slotLimit)")
        }
        guard (1...Options.minuteLimit).contains(options.minutes) else {
            throw OptionError(
                field: "minutes", value: "\(options.minutes)", expected: "1 to \(Options.minuteLimit)",
                nearest: options.minutes < 1 ? "1" : "\(Options.minuteLimit)")
        }
        guard options.fraction > 0, options.fraction <= 1 else {
            throw OptionError(
                field: "fraction", value: "\(options.fraction)", expected: "above 0 and at most 1",
                nearest: options.fraction > 1 ? "1" : "0.2")
        }
    }

    /// - Returns: one result per order, in the order of the options.
    /// - Throws: `OptionError` when the trace ends within the warm-up, or `TraceError` for a file of
    ///   lifetimes.
    public func run(_ trace: VMTrace, clock: some Clock<Duration>) throws -> [DrainResult] {
        guard let policy = fleet.options.policies.first else { return [] }
        let (until, lifetimes) = try fleet.prepare(trace)
        guard let lifetimes else { return [] }
        var run = PolicyRun(
            trace: trace, policy: policy, options: fleet.options, until: until, lifetimes: lifetimes)
        let predictor = LifetimePredictor(lifetimes.model, cap: fleet.options.lifetimes.cap)
        var tally = DrainTally(options: options, predictor: predictor, seed: fleet.options.seed)
        var events = EventClock(trace)
        let end = Int64(until) * PolicyRun.microsecondsPerSecond
        var next = Int64(fleet.options.warmUpSeconds) * PolicyRun.microsecondsPerSecond
        let step = Int64(fleet.options.sampleStepSeconds) * PolicyRun.microsecondsPerSecond
        while let event = events.next(), event.time <= end {
            while next < event.time {
                tally.drain(run, hosts: fleet.options.hosts, at: Timestamp(microseconds: next))
                next += step
            }
            run.handle(event, clock)
        }
        return tally.results
    }
}

/// What the drains came to.
private struct DrainTally {
    let options: DrainExperiment.Options
    let predictor: LifetimePredictor
    let seed: UInt64
    private var sums: [DrainOrder: Sum] = [:]
    private var hosts = 0

    private struct Sum {
        var migrations = 0
        var avoided = 0
        var taken = Duration.zero
    }

    init(options: DrainExperiment.Options, predictor: LifetimePredictor, seed: UInt64) {
        self.options = options
        self.predictor = predictor
        self.seed = seed
    }

    mutating func drain(_ run: PolicyRun, hosts count: Int, at time: Timestamp) {
        let inUse = (0..<count).map { run.residents(onHost: $0) }.filter { !$0.isEmpty }
        let used = inUse.map { vms in vms.reduce(0) { $0 + $1.lifetime.features.resources.milliCPU } }
        let emptiest = inUse.indices.sorted { (used[$0], $0) < (used[$1], $1) }
        let chosen = emptiest.prefix(Int((Double(inUse.count) * options.fraction).rounded(.up)))
        hosts += chosen.count
        // Random order is what the others are compared with, asked for or not.
        for order in Set(options.orders + [.random]) {
            let drain = HostDrain(
                order: order, slots: options.slots, length: .seconds(options.minutes * 60))
            for host in chosen {
                let outcome = drain.run(
                    inUse[host], from: time, predictor: predictor,
                    seed: seed &+ UInt64(bitPattern: time.microseconds))
                sums[order, default: Sum()].migrations += outcome.moved.count
                sums[order, default: Sum()].avoided += outcome.avoided
                sums[order, default: Sum()].taken += outcome.taken
            }
        }
    }

    var results: [DrainResult] {
        let random = Double(sums[.random]?.migrations ?? 0)
        return options.orders.map { order in
            let sum = sums[order] ?? Sum()
            let change = random > 0 ? (Double(sum.migrations) / random - 1) * 100 : 0
            let taken = hosts > 0 ? sum.taken.inSeconds / 3600 / Double(hosts) : 0
            return DrainResult(
                order: order, hosts: hosts, migrations: sum.migrations, avoided: sum.avoided,
                changePct: (change * 100).rounded() / 100, hoursToEmpty: (taken * 1000).rounded() / 1000)
        }
    }
}
