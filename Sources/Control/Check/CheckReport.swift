public import Fleet

/// The broken invariants of a fleet: by invariant, then subject.
public struct CheckReport: Sendable, Hashable {
    /// Violations that are listed; a fleet with more is broken in a way that more lines do not explain.
    public static let limit = 1000

    /// The first `limit`.
    public var violations: [InvariantViolation]
    /// All of them.
    public var count: Int

    public init(_ snapshot: FleetSnapshot) {
        let fleet = CheckedFleet(snapshot)
        violations = []
        count = 0
        for invariant in Invariant.allCases {
            let findings = invariant.findings(in: fleet).sorted()
            count += findings.count
            violations += findings.prefix(Self.limit - violations.count).map {
                InvariantViolation(
                    invariant: invariant.rawValue, subject: $0.subject, message: $0.message)
            }
        }
    }
}

/// Judges every invariant on a snapshot; empty when all hold. At most `CheckReport.limit` are listed.
public func check(_ snapshot: FleetSnapshot) -> [InvariantViolation] { CheckReport(snapshot).violations }
