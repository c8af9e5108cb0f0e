/// A fault that is asked for: what, to which targets, how strongly, for how long and under which conditions.
public struct FaultSpec: Sendable, Hashable, Codable {
    public var kind: FaultKind
    public var selector: TargetSelector
    public var parameters: FaultParameters?
    /// From the moment that a target is hit; it reverts by itself then.
    public var leaseSeconds: Int
    /// Targets that may be under a fault at once, those of all other running faults included. The smallest
    /// one of all running faults binds them all.
    public var blastRadius: Int?
    /// What must hold of the fleet before anything is done to it.
    public var steadyState: [SteadyCheck]?
    /// When it is taken back before its lease is over.
    public var abortWhen: AbortCondition?

    public init(
        kind: FaultKind, selector: TargetSelector, parameters: FaultParameters? = nil, leaseSeconds: Int = 60,
        blastRadius: Int? = nil, steadyState: [SteadyCheck]? = nil, abortWhen: AbortCondition? = nil
    ) {
        self.kind = kind
        self.selector = selector
        self.parameters = parameters
        self.leaseSeconds = leaseSeconds
        self.blastRadius = blastRadius
        self.steadyState = steadyState
        self.abortWhen = abortWhen
    }

    /// Longer ones are no faults but another fleet.
    public static let longestLease = 3600
    /// Where a fault names no other: a slip hits one target.
    public static let standardRadius = 1
    /// No book holds more.
    public static let largestRadius = 1000

    public var radius: Int { blastRadius ?? Self.standardRadius }
}

/// Which targets are meant: by name, or by what they are and how they are labelled.
public struct TargetSelector: Sendable, Hashable, Codable {
    /// As `component/name`.
    public var names: [FaultTarget]?
    /// Any of this component.
    public var component: String?
    /// Each must be on the target.
    public var labels: [String: String]?
    /// The first ones in the order of their names; nil takes all.
    public var limit: Int?

    public init(
        names: [FaultTarget]? = nil, component: String? = nil, labels: [String: String]? = nil,
        limit: Int? = nil
    ) {
        self.names = names
        self.component = component
        self.labels = labels
        self.limit = limit
    }

    func matches(_ target: InjectorTarget) -> Bool {
        (names?.contains(target.target) ?? true)
            && (component.map { $0 == target.target.component.rawValue } ?? true)
            && (labels ?? [:]).allSatisfy { target.labels[$0.key] == $0.value }
    }
}

/// What can be asked of a fleet before a fault.
public enum SteadyCheck: String, Sendable, Hashable, CaseIterable, Codable {
    /// Every host is in contact.
    case agentsReport
    /// Every VM that is wanted runs.
    case everythingRuns
}

/// A fault that goes farther than meant is ended.
public struct AbortCondition: Sendable, Hashable, Codable {
    /// Hosts out of contact, beyond which it ends.
    public var hostsNotReadyAbove: Int?

    public init(hostsNotReadyAbove: Int? = nil) { self.hostsNotReadyAbove = hostsNotReadyAbove }
}
