public import Fleet

/// A problem before its targets are chosen. Texts in braces stand for what the seed chooses.
public struct ProblemTemplate: Sendable, Hashable, Codable {
    public enum Character: String, Sendable, Hashable, Codable {
        /// Something fails and may come back by itself.
        case symptomatic
        /// Something was set wrongly and stays so.
        case functional
        /// The trigger is gone and the harm keeps itself alive.
        case metastable
        /// One cause, many failures at once.
        case correlated
        /// Several causes that have nothing to do with each other.
        case concurrent
        /// One failure causes the next.
        case cascading
        case noop
        /// Nothing is wrong, and something looks like it.
        case decoy
    }

    public struct FaultDraft: Sendable, Hashable, Codable {
        public var kind: FaultKind
        public var target: FaultTarget.Component
        public var parameters: FaultParameters?
    }

    /// An event that is no fault.
    public enum Decoy: String, Sendable, Hashable, Codable { case plannedDrain }

    public struct TruthDraft: Sendable, Hashable, Codable {
        public var components: [String]
        public var also: [String]
        public var systemLevels: [SystemLevel]
        public var faultTypes: [FaultType]
        public var mechanism: String
    }

    public var id: String
    /// Says what is wrong: for who may know.
    public var title: String
    public var layer: String
    public var kind: Character
    /// Key of what the agent is told of the fleet and its work.
    public var context: String
    public var suites: [Suite]
    public var faults: [FaultDraft]
    public var decoy: Decoy?
    /// What no injector can do yet; nil when the faults say all.
    public var lacks: String?
    /// Names to choose beside those of the faults.
    public var binds: [String]?
    public var truth: TruthDraft
    /// Calls that put things right, one after another.
    public var oracle: [String]
    public var accept: [AcceptCondition]
    public var rejects: [RejectRule]
    /// For how long the fleet must stay well.
    public var sustainSeconds: Int

    public var isNoop: Bool { kind == .noop || kind == .decoy }
}

/// Sets of problems, each a part of the next.
public enum Suite: String, Sendable, Hashable, ClosedWord {
    /// A minute in simulation.
    case smoke
    case lite
    /// Every problem.
    case full
}

extension FaultTarget.Component: Codable {}
