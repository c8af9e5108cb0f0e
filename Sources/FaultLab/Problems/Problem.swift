/// A problem with its targets and its moment, ready to be put to an agent.
public struct Problem: Sendable, Hashable, Codable {
    public var template: String
    public var seed: UInt64
    /// Whether the faults were left out: all else is as with them.
    public var isNoop: Bool
    /// What agents know it by; says nothing about it.
    public var alias: String
    /// For who may know.
    public var title: String
    public var context: String
    /// Starts are counted from the end of the warm-up. Leases outlast every session.
    public var faults: [Fault]
    public var decoy: ProblemTemplate.Decoy?
    /// What was chosen, by name.
    public var bindings: [String: String]
    public var truth: Truth
    public var oracle: [ActionCall]
    public var accept: [AcceptCondition]
    public var rejects: [RejectRule]
    public var sustainSeconds: Int

    /// Such as `AG-01#7`, or `AG-01#7-noop`.
    public var name: String { "\(template)#\(seed)\(isNoop ? "-noop" : "")" }
}

/// What seeds choose from: for each kind of target the ways to name one, such as
/// `["agent": "a-01", "host": "a-01", "rack": "a-r1"]`.
public struct ProblemSurface: Sendable, Hashable {
    public var choices: [FaultTarget.Component: [[String: String]]]
    /// Names that are the same for every problem.
    public var constants: [String: String]
    /// What can be injected.
    public var kinds: Set<FaultKind>
    public var decoys: Set<ProblemTemplate.Decoy>

    public init(
        choices: [FaultTarget.Component: [[String: String]]], constants: [String: String] = [:],
        kinds: Set<FaultKind>, decoys: Set<ProblemTemplate.Decoy> = []
    ) {
        self.choices = choices
        self.constants = constants
        self.kinds = kinds
        self.decoys = decoys
    }
}

/// Why a problem cannot be put to an agent here. Never counted for or against an agent.
public struct ProblemRefusal: Error, Sendable, Hashable, Codable {
    public enum Code: String, Sendable, Hashable, Codable {
        /// No such problem.
        case unknown
        /// No injector for it exists.
        case notInjectable
        /// This fleet has nothing that it could be done to.
        case noTarget
        /// The catalogue or an oracle's call is damaged.
        case catalogue
        /// The fleet was not well before the fault.
        case unsteady
        /// The fault showed no effect.
        case noEffect
    }

    public var code: Code
    public var problem: String
    public var message: String

    public init(_ code: Code, _ problem: String, _ message: String) {
        self.code = code
        self.problem = problem
        self.message = message
    }
}
