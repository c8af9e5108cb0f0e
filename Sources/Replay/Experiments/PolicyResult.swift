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
    /// Room of no use and large VMs that fit; nil unless it was asked for.
    public var stranding: StrandingResult?
    /// Hosts without a VM at each sample of the window, per cent; for drawings, not part of the encoded form.
    public var emptyHosts: [Double]

    public init(
        policy: PlacementPolicy, emptyHostsPct: Double, densityPct: Double, placed: Int, failed: Int,
        predictionsPerPlacement: Double? = nil, classAccuracy: Double? = nil,
        decisionsPerSecond: Double? = nil, decisionP99Us: Double? = nil, stranding: StrandingResult? = nil,
        emptyHosts: [Double] = []
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
        self.stranding = stranding
        self.emptyHosts = emptyHosts
    }
}

extension PolicyResult: Codable {
    private enum CodingKeys: String, CodingKey {
        case policy, emptyHostsPct, densityPct, placed, failed, predictionsPerPlacement, classAccuracy
        case decisionsPerSecond, decisionP99Us, stranding
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            policy: try container.decode(PlacementPolicy.self, forKey: .policy),
            emptyHostsPct: try container.decode(Double.self, forKey: .emptyHostsPct),
            densityPct: try container.decode(Double.self, forKey: .densityPct),
            placed: try container.decode(Int.self, forKey: .placed),
            failed: try container.decode(Int.self, forKey: .failed),
            predictionsPerPlacement: try container.decode(Double?.self, forKey: .predictionsPerPlacement),
            classAccuracy: try container.decode(Double?.self, forKey: .classAccuracy),
            decisionsPerSecond: try container.decode(Double?.self, forKey: .decisionsPerSecond),
            decisionP99Us: try container.decode(Double?.self, forKey: .decisionP99Us),
            stranding: try container.decodeIfPresent(StrandingResult.self, forKey: .stranding))
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
        try container.encode(stranding, forKey: .stranding)
    }
}
