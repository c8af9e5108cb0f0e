/// What a policy would have made of a scope's last days: nothing is changed by asking.
public struct WhatIfStatement: Sendable, Hashable, Codable {
    /// A rule of ratios, and what came of it in the last days of the span, which it did not know.
    public struct RatePoint: Sendable, Hashable, Codable {
        /// As `basalt simulate rates` calls it, such as `static:0.5` or `proto-rate:0.01`.
        public var policy: String
        /// Share of the hours that were above what the rule allowed, and by how much of the peak, mean.
        public var risk: Double
        public var severity: Double
        /// Share of the vCPUs that needed no core.
        public var benefit: Double

        public init(policy: String, risk: Double, severity: Double, benefit: Double) {
            self.policy = policy
            self.risk = risk
            self.severity = severity
            self.benefit = benefit
        }
    }

    /// The scope's VMs packed anew by what they used in the first half of the span, and what came of it in the
    /// second.
    public struct PackingPoint: Sendable, Hashable, Codable {
        /// As `basalt simulate oversubscription` calls it, such as `static:2` or `p99`.
        public var policy: String
        public var hosts: Int
        /// Of the hosts that are needed when every vCPU has its core.
        public var savedShare: Double
        /// Hours of hosts in which the VMs wanted more than there is, and core time that was not there.
        public var hotShare: Double
        public var unmetShare: Double

        public init(
            policy: String, hosts: Int, savedShare: Double, hotShare: Double, unmetShare: Double
        ) {
            self.policy = policy
            self.hosts = hosts
            self.savedShare = savedShare
            self.hotShare = hotShare
            self.unmetShare = unmetShare
        }
    }

    /// What would be decided for the hour that begins.
    public struct Proposal: Sendable, Hashable, Codable {
        public var ratioPerMille: Int
        public var predictedPeak: Double
        public var risk: Double
        public var benefitMilliCPU: Int
        public var notes: [ScopeDecision.Note]
        /// What a person would be asked for.
        public var asks: [ScopeDecision.Note]

        public init(
            ratioPerMille: Int, predictedPeak: Double, risk: Double, benefitMilliCPU: Int,
            notes: [ScopeDecision.Note], asks: [ScopeDecision.Note]
        ) {
            self.ratioPerMille = ratioPerMille
            self.predictedPeak = predictedPeak
            self.risk = risk
            self.benefitMilliCPU = benefitMilliCPU
            self.notes = notes
            self.asks = asks
        }
    }

    public var scope: RateScope
    public var cell: String
    /// In force now.
    public var ratioPerMille: Int
    public var rules: OversubscriptionRules
    /// Hours of use that were looked at, the last one ending at `until`, on the fleet clock; 0 when nothing
    /// is known.
    public var hours: Int
    public var until: Timestamp?
    /// Sold to shared VMs, and the most of it that was in use at once.
    public var soldMilliCPU: Int
    public var peakMilliCPU: Int
    /// Nil where too little is known to decide by.
    public var proposal: Proposal?
    public var rates: [RatePoint]
    /// VMs that were packed, and milli-vCPUs of a host; no points where too little is known of them.
    public var vms: Int
    public var hostMilliCPU: Int
    public var packing: [PackingPoint]

    /// Sold, and never in use.
    public var strandedMilliCPU: Int

    public init(
        scope: RateScope, cell: String, ratioPerMille: Int, rules: OversubscriptionRules, hours: Int = 0,
        until: Timestamp? = nil, soldMilliCPU: Int = 0, peakMilliCPU: Int = 0, proposal: Proposal? = nil,
        rates: [RatePoint] = [], vms: Int = 0, hostMilliCPU: Int = 0, packing: [PackingPoint] = []
    ) {
        self.scope = scope
        self.cell = cell
        self.ratioPerMille = ratioPerMille
        self.rules = rules
        self.hours = hours
        self.until = until
        self.soldMilliCPU = soldMilliCPU
        self.peakMilliCPU = peakMilliCPU
        self.proposal = proposal
        self.rates = rates
        self.vms = vms
        self.hostMilliCPU = hostMilliCPU
        self.packing = packing
        strandedMilliCPU = max(0, soldMilliCPU - peakMilliCPU)
    }
}
