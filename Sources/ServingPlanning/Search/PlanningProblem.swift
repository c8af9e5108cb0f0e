/// All that a plan depends on beside the seed.
public struct PlanningProblem: Sendable {
    public var hardware: ServingHardware
    public var workload: ServingWorkload
    public var levels: ServiceLevels
    public var rules: PlanningRules

    public init(
        hardware: ServingHardware, workload: ServingWorkload, levels: ServiceLevels,
        rules: PlanningRules = .init()
    ) throws(ServingError) {
        try rules.validate()
        self.hardware = hardware
        self.workload = workload
        self.levels = levels
        self.rules = rules
    }
}

/// What plans are allowed to do.
public struct PlanningRules: Sendable, Hashable, Codable {
    /// Phases that groups may have.
    public var phases: [Phase] = Phase.allCases
    /// Stages of a pipeline at most.
    public var maxStages = 4
    /// Whether each phase shall have two replicas, and none more than half of the capacity.
    public var avoidsSinglePoints = true
    public var engine = EngineCapabilities()
    /// Shares of the capacity of prefill, decoding and network that may be used.
    public var prefillUse = 0.85
    public var decodeUse = 0.9
    public var networkUse = 0.7

    public init() {}

    func validate() throws(ServingError) {
        guard (1...8).contains(maxStages) else {
            throw ServingError(.settings, "max-pp: \(maxStages), 1 to 8 expected")
        }
        guard phases.contains(.both) || (phases.contains(.prefill) && phases.contains(.decode)) else {
            throw ServingError(.settings, "phases: both, or prefill and decode, expected")
        }
        guard [prefillUse, decodeUse, networkUse].allSatisfy({ $0 > 0 && $0 <= 1 }) else {
            throw ServingError(.settings, "uses: shares above 0 and up to 1 expected")
        }
    }
}
