internal import Fleet
internal import Oversubscription

/// Packs VMs on hosts by what they used in a history, and counts what became of the hosts in the time after:
/// `basalt simulate oversubscription`.
///
/// All VMs are there from the beginning to the end and memory does not matter: it is the cores that are
/// compared.
public struct PackingExperiment: Sendable {
    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try options.validate()
        self.options = options
    }

    /// - Returns: one result per policy, in the order of the options.
    /// - Throws: `OptionError` when the trace is shorter than history and test, or has no VM that counts.
    public func run(_ trace: UsageTrace) throws(OptionError) -> [PackingResult] {
        let fleet = try PackingFleet(trace, options)
        let orders = (0..<UInt64(options.shuffles)).map {
            LinearCongruence.order(fleet.cores.count, seed: options.seed &+ $0)
        }
        let plain = orders.map { fleet.pack(.ratio(1), order: $0).members.count }
        return options.policies.map { name in
            let outcomes = fleet.outcomes(of: name.policy, orders: orders)
            return PackingResult(name.text, outcomes, plain: plain)
        }
    }
}

extension PackingExperiment {
    /// What is simulated.
    public struct Options: Sendable, Hashable {
        /// Cores of every host.
        public var hostCores: Double
        /// VMs with more cores are left out; half a host when nil.
        public var largestVM: Double?
        /// From the beginning of the trace: what policies know.
        public var historySeconds: Int
        /// From there on: what is counted.
        public var testSeconds: Int
        /// One after another on the same VMs.
        public var policies: [PackingPolicyName]
        /// Orders in which the VMs come.
        public var shuffles: Int
        /// Of the first order; the next has the next seed.
        public var seed: UInt64

        public init(
            hostCores: Double, largestVM: Double? = nil, historySeconds: Int, testSeconds: Int,
            policies: [PackingPolicyName], shuffles: Int = 1, seed: UInt64 = 0
        ) {
            self.hostCores = hostCores
            self.largestVM = largestVM
            self.historySeconds = historySeconds
            self.testSeconds = testSeconds
            self.policies = policies
            self.shuffles = shuffles
            self.seed = seed
        }
    }
}

extension PackingExperiment.Options {
    private static let coreLimit = 1_000_000.0
    fileprivate static let secondLimit = 31_556_952_000
    private static let shuffleLimit = 10_000

    func validate() throws(OptionError) {
        try OptionError.check("host-cores", hostCores, in: 0.001...Self.coreLimit)
        if let largestVM { try OptionError.check("max-vm-cores", largestVM, in: 0.001...Self.coreLimit) }
        try OptionError.check("history", historySeconds, in: 1...Self.secondLimit)
        try OptionError.check("test", testSeconds, in: 1...Self.secondLimit)
        try OptionError.check("shuffles", shuffles, in: 1...Self.shuffleLimit)
        guard !policies.isEmpty else {
            throw OptionError(field: "policy", value: "", expected: "at least one policy", nearest: "p99")
        }
    }
}

extension OptionError {
    static func check<Value: Comparable & CustomStringConvertible>(
        _ field: String, _ value: Value, in range: ClosedRange<Value>
    ) throws(OptionError) {
        guard range.contains(value) else {
            throw OptionError(
                field: field, value: "\(value)", expected: "\(range.lowerBound) to \(range.upperBound)",
                nearest: "\(min(max(value, range.lowerBound), range.upperBound))")
        }
    }
}

/// The VMs of a trace, cut into what is known and what is counted.
private struct PackingFleet {
    let cores: [Double]
    private let hostCores: Double
    private let stepsPerDay: Int
    private let history: [[Double]]
    private let test: [[Double]]

    init(_ trace: UsageTrace, _ options: PackingExperiment.Options) throws(OptionError) {
        let known = options.historySeconds / trace.stepSeconds
        let counted = options.testSeconds / trace.stepSeconds
        let lengths = trace.stepSeconds...PackingExperiment.Options.secondLimit
        try OptionError.check("history", options.historySeconds, in: lengths)
        try OptionError.check("test", options.testSeconds, in: lengths)
        try Self.check(options.policies, trace, known: known)
        guard known + counted <= trace.steps else {
            let left = max(trace.steps - counted, 1) * trace.stepSeconds
            throw OptionError(
                field: "history", value: "\(options.historySeconds)",
                expected:
                    "with the test at most \(trace.steps * trace.stepSeconds) s, the length of the trace",
                nearest: "\(left)")
        }
        let largest = options.largestVM ?? options.hostCores / 2
        let series = trace.limited(to: largest).series
        guard !series.isEmpty else {
            throw OptionError(
                field: "max-vm-cores", value: "\(largest)",
                expected: "as many cores as some VM of the trace has",
                nearest: "\(trace.series.map(\.cores).filter { $0 > 0 }.min() ?? 1)")
        }
        let used = series.map { $0.usedCores(steps: known + counted) }
        cores = series.map(\.cores)
        hostCores = options.hostCores
        stepsPerDay = trace.stepsPerDay
        history = used.map { Array($0[..<known]) }
        test = used.map { Array($0[known...]) }
    }

    private static func check(
        _ policies: [PackingPolicyName], _ trace: UsageTrace, known: Int
    ) throws(OptionError) {
        for name in policies {
            let windows: Int
            switch name.policy {
            case .windows(let count, _): windows = count
            case .protoRate: windows = 24
            default: continue
            }
            guard trace.stepsPerDay * trace.stepSeconds == 86_400, trace.stepsPerDay % windows == 0 else {
                throw OptionError(
                    field: "policy", value: name.text,
                    expected: "windows of whole steps, which take \(trace.stepSeconds) s", nearest: "p99")
            }
            guard name.policy.accepts(hours: known * 24 / trace.stepsPerDay) else {
                throw OptionError(
                    field: "history", value: "\(known * trace.stepSeconds)",
                    expected: "twelve days or more for \(name.text)", nearest: "\(12 * 86_400)")
            }
        }
    }

    func outcomes(of policy: PackingPolicy, orders: [[Int]]) -> [PackingOutcome] {
        let demands = demands(of: policy)
        return orders.map { order in
            let packing = pack(policy, demands, order: order)
            return PackingOutcome(members: packing.members, cores: cores, hostCores: hostCores, used: test)
        }
    }

    func pack(_ policy: PackingPolicy, order: [Int]) -> HostPacking {
        pack(policy, demands(of: policy), order: order)
    }

    private func demands(of policy: PackingPolicy) -> [PackingDemand] {
        policy.demands(cores: cores, histories: history, stepsPerDay: stepsPerDay)
    }

    private func pack(_ policy: PackingPolicy, _ demands: [PackingDemand], order: [Int]) -> HostPacking {
        var packing = HostPacking(policy.room(cores: hostCores))
        for vm in order { packing.place(vm, demands[vm]) }
        return packing
    }
}

extension PackingResult {
    fileprivate init(_ policy: String, _ outcomes: [PackingOutcome], plain: [Int]) {
        self.policy = policy
        hosts = Spread(outcomes.map { Double($0.hosts) })
        ratio = Spread(outcomes.map(\.ratio))
        savedPct = Spread(zip(outcomes, plain).map { 100 * (1 - Double($0.hosts) / Double($1)) })
        hotHostSampleRate = Spread(outcomes.map(\.hotHostSampleRate))
        hotHosts = Spread(outcomes.map(\.hotHosts))
        nearlyHotHostSampleRate = Spread(outcomes.map(\.nearlyHotHostSampleRate))
        unmetCoreFraction = Spread(outcomes.map(\.unmetCoreFraction))
    }
}
