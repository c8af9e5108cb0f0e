public import Fleet

/// What must hold for a fleet to count as put right. Invariants must hold and nothing may be lost in any case.
public enum AcceptCondition: String, Sendable, Hashable, ClosedWord {
    /// None of the problem's faults is in effect.
    case faultCleared
    /// As `faultCleared`, or nothing is left where they are.
    case faultClearedOrTargetEmpty
    /// Every workload that is wanted runs.
    case everythingRuns
    /// Every agent has been heard of.
    case agentsReport
    /// Implied everywhere; named where it is all that is asked.
    case nothingLost
}

/// What the grader sees of a fleet.
public struct FleetState: Sendable, Hashable, Codable {
    /// The problem's faults that are still in effect.
    public var faultsInEffect: Int
    /// Parts of workloads on what the faults are done to.
    public var partsOnTargets: Int
    /// Workloads that are wanted and do not run.
    public var notRunning: [String]
    /// Agents that are not heard of.
    public var silentAgents: [String]
    /// Workloads of before the fault that nobody but the agent removed.
    public var lost: [String]
    public var violations: [InvariantViolation]

    public init(
        faultsInEffect: Int = 0, partsOnTargets: Int = 0, notRunning: [String] = [],
        silentAgents: [String] = [], lost: [String] = [], violations: [InvariantViolation] = []
    ) {
        self.faultsInEffect = faultsInEffect
        self.partsOnTargets = partsOnTargets
        self.notRunning = notRunning
        self.silentAgents = silentAgents
        self.lost = lost
        self.violations = violations
    }

    /// What is missing for the conditions to hold; empty when they do.
    public func missing(_ conditions: [AcceptCondition]) -> [String] {
        var missing = conditions.compactMap(missing)
        if !lost.isEmpty { missing.append("lost: \(lost.sorted().prefix(5).joined(separator: ", "))") }
        if let violation = violations.first {
            missing.append("invariant \(violation.invariant): \(violation.message)")
        }
        return missing
    }

    private func missing(_ condition: AcceptCondition) -> String? {
        switch condition {
        case .faultCleared: faultsInEffect > 0 ? "\(faultsInEffect) faults are in effect" : nil
        case .faultClearedOrTargetEmpty:
            faultsInEffect > 0 && partsOnTargets > 0
                ? "\(faultsInEffect) faults are in effect below \(partsOnTargets) parts" : nil
        case .everythingRuns:
            notRunning.isEmpty
                ? nil : "not running: \(notRunning.sorted().prefix(5).joined(separator: ", "))"
        case .agentsReport:
            silentAgents.isEmpty
                ? nil : "not heard of: \(silentAgents.sorted().prefix(5).joined(separator: ", "))"
        case .nothingLost: nil
        }
    }
}
