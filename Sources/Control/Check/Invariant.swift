/// What must hold of a fleet at every moment.
public enum Invariant: Int, Sendable, CaseIterable {
    /// A device is under at most one unreleased allocation.
    case deviceHeldOnce = 1
    /// Unreleased memory fits its host, CPU admission holds or only improves, sums are what they sum.
    case roomHolds
    /// No allocation without a workload, no running part without an allocation.
    case partsAreOwned
    /// (epoch, generation) never goes back.
    case generationsRise
    /// A part has at most one writer at any time.
    case oneWriter
    /// A plan is applied at most once.
    case plansApplyOnce
    /// The guaranteed class is never oversubscribed.
    case guaranteeHolds
    /// Every change that a user can see has an event with a reason.
    case changesAreTold
    /// Nothing is deleted because of an unknown error or an absence.
    case nothingVanishes

    func findings(in fleet: CheckedFleet) -> [Finding] {
        switch self {
        case .deviceHeldOnce: fleet.devicesHeldTwice()
        case .roomHolds: fleet.brokenRooms()
        case .partsAreOwned: fleet.partsWithoutOwner()
        case .generationsRise: fleet.fallingGenerations()
        case .oneWriter: fleet.partsWithTwoWriters()
        case .plansApplyOnce: fleet.plansAppliedAgain()
        case .guaranteeHolds: fleet.brokenGuarantees()
        case .changesAreTold: fleet.untoldChanges()
        case .nothingVanishes: fleet.vanishedThings()
        }
    }
}

/// What breaks an invariant: what it is about, and how.
struct Finding: Hashable, Comparable {
    var subject: String
    var message: String

    static func < (lhs: Finding, rhs: Finding) -> Bool {
        (lhs.subject, lhs.message) < (rhs.subject, rhs.message)
    }
}
