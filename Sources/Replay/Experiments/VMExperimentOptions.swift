public import Fleet
public import VMPlacement

extension VMExperiment {
    /// What is simulated. Times are whole seconds on the trace's clock.
    public struct Options: Sendable, Hashable {
        /// Size of the fleet.
        public var hosts: Int
        /// What each host has.
        public var shape: HostShape
        /// Room of each host of a fleet whose hosts differ; nil takes `hosts` of `shape`.
        public var fleet: [Resources]?
        /// Run one after another on the same trace.
        public var policies: [PlacementPolicy]
        /// The part of the trace that is read; nil reads all.
        public var shard: Shard?
        /// Start of the window that is measured; what comes before fills the fleet.
        public var warmUpSeconds: Int
        /// End of the window and of the run; the last arrival when nil.
        public var untilSeconds: Int?
        /// Time between two samples of the fleet.
        public var sampleStepSeconds: Int
        /// Measures decisions; without it the result depends on nothing but trace and options.
        public var measuresTime: Bool
        /// Fills a copy of the fleet up at every sample to see what stays free, which takes time.
        public var measuresStranding: Bool
        /// What predicts lifetimes; needed by policies that go by them.
        public var prediction: LifetimePrediction?
        /// What lifetime-aware policies go by beside it.
        public var lifetimes: LifetimeSettings
        /// Seed of the oracle's errors.
        public var seed: UInt64

        public init(
            hosts: Int, shape: HostShape, policies: [PlacementPolicy] = [.firstFit, .bestFit],
            shard: Shard? = nil, warmUpSeconds: Int = 0, untilSeconds: Int? = nil,
            sampleStepSeconds: Int = 3600, measuresTime: Bool = false, measuresStranding: Bool = false,
            prediction: LifetimePrediction? = nil, lifetimes: LifetimeSettings = .init(), seed: UInt64 = 0
        ) {
            self.hosts = hosts
            self.shape = shape
            self.policies = policies
            self.shard = shard
            self.warmUpSeconds = warmUpSeconds
            self.untilSeconds = untilSeconds
            self.sampleStepSeconds = sampleStepSeconds
            self.measuresTime = measuresTime
            self.measuresStranding = measuresStranding
            self.prediction = prediction
            self.lifetimes = lifetimes
            self.seed = seed
        }
    }
}

extension VMExperiment.Options {
    /// Five times the largest cell: enough for any what-if, and a slip of the keyboard ends in words.
    static let hostLimit = 100_000
    /// A thousand years; keeps times in microseconds inside 64 bits.
    static let secondLimit = 31_556_952_000

    /// - Throws: `OptionError` for the first option that cannot be used.
    public func validate() throws(OptionError) {
        try check("hosts", hosts, in: 1...Self.hostLimit)
        try check("sample-step", sampleStepSeconds, in: 1...Self.secondLimit)
        try check("warm-up", warmUpSeconds, in: 0...Self.secondLimit)
        guard !policies.isEmpty else {
            throw OptionError(
                field: "policy", value: "",
                expected: PlacementPolicy.allCases.map(\.rawValue).joined(separator: " or "),
                nearest: PlacementPolicy.bestFit.rawValue)
        }
        if prediction == nil, let blind = policies.first(where: \.needsLifetimes) {
            throw OptionError(
                field: "predictor", value: "", expected: "a predictor of lifetimes for \(blind.rawValue)",
                nearest: "oracle:0.5")
        }
        try check("theta", lifetimes.nearlyFullPerMille, in: 1...1000)
        try check("class-slack", lifetimes.slackPerMille, in: 1...100_000)
        if let untilSeconds {
            try check("until", untilSeconds, in: 1...Self.secondLimit)
            try checkWindow(until: untilSeconds)
        }
    }

    /// - Throws: `OptionError` when nothing of the run is left to measure.
    func checkWindow(until: Int) throws(OptionError) {
        guard warmUpSeconds < until else {
            throw OptionError(
                field: "warm-up", value: "\(warmUpSeconds)",
                expected: "less than the end of the run, which is at \(until) s",
                nearest: "\(max(0, until - 1))")
        }
    }

    private func check(_ field: String, _ value: Int, in range: ClosedRange<Int>) throws(OptionError) {
        guard range.contains(value) else {
            throw OptionError(
                field: field, value: "\(value)", expected: "\(range.lowerBound) to \(range.upperBound)",
                nearest: "\(min(max(value, range.lowerBound), range.upperBound))")
        }
    }
}
