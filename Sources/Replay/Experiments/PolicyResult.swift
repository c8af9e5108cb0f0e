public import VMPlacement

/// What one policy made of a trace. Percentages have four decimals.
public struct PolicyResult: Sendable, Hashable {
    /// The policy that placed.
    public var policy: PlacementPolicy
    /// Hosts without a VM, mean over the samples of the window.
    public var emptyHostsPct: Double
    /// Used vCPUs of the vCPUs of hosts that are not empty, mean over the samples that have such hosts.
    public var densityPct: Double
    /// VMs placed in the window.
    public var placed: Int
    /// VMs of the window that no host could take; they are not tried again.
    public var failed: Int
    /// Questions asked of the model per VM placed in the window; nil for policies that ask none.
    public var predictionsPerPlacement: Double?
    /// Share of the window's VMs whose class was predicted right when they came; nil likewise.
    public var classAccuracy: Double?
    /// Decisions of the window, each with its commit, by the time they took; nil unless time was measured.
    public var decisionsPerSecond: Double?
    /// 99th percentile of a decision with its commit, µs; nil unless time was measured.
    public var decisionP99Us: Double?

    public init(
        policy: PlacementPolicy, emptyHostsPct: Double, densityPct: Double, placed: Int, failed: Int,
        predictionsPerPlacement: Double? = nil, classAccuracy: Double? = nil,
        decisionsPerSecond: Double? = nil, decisionP99Us: Double? = nil
    ) {
        self.policy = policy
        self.emptyHostsPct = emptyHostsPct
        self.densityPct = densityPct
        self.placed = placed
        self.failed = failed
        self.predictionsPerPlacement = predictionsPerPlacement
        self.classAccuracy = classAccuracy
        self.decisionsPerSecond = decisionsPerSecond
        self.decisionP99Us = decisionP99Us
    }
}

extension PolicyResult: Codable {
    private enum CodingKeys: String, CodingKey {
        case policy, emptyHostsPct, densityPct, placed, failed, predictionsPerPlacement, classAccuracy
        case decisionsPerSecond, decisionP99Us
    }

    /// Every key is written, `null` for what was not measured, so that readers see one shape.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(policy, forKey: .policy)
        try container.encode(emptyHostsPct, forKey: .emptyHostsPct)
        try container.encode(densityPct, forKey: .densityPct)
        try container.encode(placed, forKey: .placed)
        try container.encode(failed, forKey: .failed)
        try container.encode(predictionsPerPlacement, forKey: .predictionsPerPlacement)
        try container.encode(classAccuracy, forKey: .classAccuracy)
        try container.encode(decisionsPerSecond, forKey: .decisionsPerSecond)
        try container.encode(decisionP99Us, forKey: .decisionP99Us)
    }
}
