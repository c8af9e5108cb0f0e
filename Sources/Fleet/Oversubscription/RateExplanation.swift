/// Why the ratio of a scope is what it is, and how full it is.
public struct RateExplanation: Sendable, Hashable, Codable {
    public var scope: RateScope
    public var cell: String
    public var effective: EffectiveRate
    /// What is said about it, from the nearest scope to the widest.
    public var sources: [Source]
    /// The newest decision about the scope that the ratio comes from.
    public var decision: ScopeDecision?
    public var use: Use
    /// When that decision's window ends, on the fleet clock: then the scope is decided anew.
    public var nextWindow: Timestamp?
    /// What was in use in the last hour that is known, beside what the decision predicted.
    public var latest: Latest?
    /// Hosts of the scope that go by another ratio, because a nearer scope says so; sorted.
    public var exceptions: [RateScope]
    /// The VM that was asked about.
    public var vm: VM?

    public struct Source: Sendable, Hashable, Codable {
        public var scope: RateScope
        public var policy: PolicyVersion?
        public var mode: OversubscriptionRules.Mode?
        /// `cpuRatioPerMille` of a pool.
        public var plainRatioPerMille: Int?
        /// As it was decided last.
        public var decidedRatioPerMille: Int?
        /// In force.
        public var constraints: [ScopeConstraint]

        public init(
            scope: RateScope, policy: PolicyVersion? = nil, mode: OversubscriptionRules.Mode? = nil,
            plainRatioPerMille: Int? = nil, decidedRatioPerMille: Int? = nil,
            constraints: [ScopeConstraint] = []
        ) {
            self.scope = scope
            self.policy = policy
            self.mode = mode
            self.plainRatioPerMille = plainRatioPerMille
            self.decidedRatioPerMille = decidedRatioPerMille
            self.constraints = constraints
        }
    }

    /// One hour of the scope that the ratio comes from.
    public struct Latest: Sendable, Hashable, Codable {
        /// Fleet time at which the hour began.
        public var at: Timestamp
        /// Greatest share of the vCPUs in use at once, 0 to 1; and as the decision predicted it.
        public var peak: Double
        public var predictedPeak: Double?

        public init(at: Timestamp, peak: Double, predictedPeak: Double?) {
            self.at = at
            self.peak = peak
            self.predictedPeak = predictedPeak
        }
    }

    /// Sums over the hosts of the scope, milli-vCPUs.
    public struct Use: Sendable, Hashable, Codable {
        public var hosts: Int
        /// Hosts that are over by their ratio or peaks: they keep what they run and take nothing more.
        public var overfullHosts: Int
        /// Physical, less what is reserved.
        public var usableMilliCPU: Int
        public var guaranteedMilliCPU: Int
        /// As sold.
        public var sharedMilliCPU: Int
        /// As much of it as the ratio admits.
        public var sharedLimitMilliCPU: Int
        /// As predicted; all that was sold while nothing is known.
        public var peakMilliCPU: Int
        /// As much of it as policies admit; nil where peaks do not count.
        public var peakLimitMilliCPU: Int?
        /// What the other hosts could still sell after the loss of any one host and with all of its shared
        /// VMs on them, by their ratios; negative where they could not take them. Nil for a single host.
        public var spareAfterLossMilliCPU: Int?

        public init(_ rooms: [HostRoom]) {
            hosts = rooms.count
            overfullHosts = rooms.count { !$0.cpuHolds || !$0.peakHolds }
            usableMilliCPU = rooms.reduce(0) { $0 + $1.total.milliCPU - $1.reserved.milliCPU }
            guaranteedMilliCPU = rooms.reduce(0) { $0 + $1.guaranteedMilliCPU }
            sharedMilliCPU = rooms.reduce(0) { $0 + $1.sharedMilliCPU }
            sharedLimitMilliCPU = rooms.reduce(0) { $0 + $1.leftMilliCPU * $1.cpuRatioPerMille / 1000 }
            peakMilliCPU = rooms.reduce(0) { $0 + $1.sharedPeakMilliCPU }
            peakLimitMilliCPU =
                rooms.contains { $0.maxUtilizationPerMille != nil }
                ? rooms.reduce(0) { $0 + $1.leftMilliCPU * ($1.maxUtilizationPerMille ?? 1000) / 1000 } : nil
            let free = rooms.map { max(0, $0.leftMilliCPU * $0.cpuRatioPerMille / 1000 - $0.sharedMilliCPU) }
            let all = free.reduce(0, +)
            spareAfterLossMilliCPU =
                rooms.count > 1 ? zip(rooms, free).map { all - $1 - $0.sharedMilliCPU }.min() : nil
        }
    }

    public struct VM: Sendable, Hashable, Codable {
        public var project: String
        public var name: String
        public var `class`: WorkloadClass
        public var milliCPU: Int
        /// Nil while nothing is known of its use, and for the guaranteed class, which counts whole.
        public var peakMilliCPU: Int?

        public init(_ allocation: Allocation) {
            project = allocation.workload.project
            name = allocation.workload.name
            self.class = allocation.class
            milliCPU = allocation.resources.milliCPU
            peakMilliCPU = allocation.isGuaranteed ? nil : allocation.peakMilliCPU
        }
    }

    public init(
        scope: RateScope, cell: String, effective: EffectiveRate, sources: [Source],
        decision: ScopeDecision? = nil, use: Use, nextWindow: Timestamp? = nil, latest: Latest? = nil,
        exceptions: [RateScope] = [], vm: VM? = nil
    ) {
        self.scope = scope
        self.cell = cell
        self.effective = effective
        self.sources = sources
        self.decision = decision
        self.use = use
        self.nextWindow = nextWindow
        self.latest = latest
        self.exceptions = exceptions
        self.vm = vm
    }
}

extension HostRoom {
    /// What the guaranteed part leaves of the machine.
    fileprivate var leftMilliCPU: Int {
        max(0, total.milliCPU - reserved.milliCPU - guaranteedMilliCPU)
    }
}
