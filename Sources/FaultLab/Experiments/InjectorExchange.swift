public import Fleet

/// Something that an injector can hit.
public struct InjectorTarget: Sendable, Hashable, Codable {
    public var target: FaultTarget
    /// Hosts that suffer with it; of these a fault's blast radius is counted beside the targets.
    public var hosts: [String]
    public var labels: [String: String]
    /// What can be done to it here.
    public var kinds: [FaultKind]

    public init(target: FaultTarget, hosts: [String], labels: [String: String], kinds: [FaultKind]) {
        self.target = target
        self.hosts = hosts
        self.labels = labels
        self.kinds = kinds
    }

    /// No fault is ever done to what carries it.
    public static let protectedLabel = "basalt/fault-protected"

    public var isProtected: Bool { labels[Self.protectedLabel].map { $0 != "false" } ?? false }
}

/// How far a fault is with one target.
public enum TargetPhase: String, Sendable, Hashable, CaseIterable, Codable {
    case notInjected, injecting, injected, recovering, recovered
    /// It could not be injected; nothing is left of it.
    case failed
    /// Its lease is over and nobody told that it is gone.
    case orphaned

    /// Whether the target may suffer.
    public var isInEffect: Bool {
        switch self {
        case .injecting, .injected, .recovering, .orphaned: true
        case .notInjected, .recovered, .failed: false
        }
    }
}

/// What an injector says of one target of a fault.
public struct TargetReport: Sendable, Hashable, Codable {
    public var fault: String
    public var target: FaultTarget
    /// Counts injections of the target by the fault; a report of an earlier one is late.
    public var round: Int
    public var phase: TargetPhase
    public var message: String?

    public init(fault: String, target: FaultTarget, round: Int, phase: TargetPhase, message: String? = nil) {
        self.fault = fault
        self.target = target
        self.round = round
        self.phase = phase
        self.message = message
    }
}

/// `POST /v1/faultinjectors/{name}/exchange`: what an injector has and did.
public struct InjectorReport: Sendable, Hashable, Codable {
    public var targets: [InjectorTarget]
    public var reports: [TargetReport]
    /// Injections on its disk that no fault accounts for, and what they would revert.
    public var leftovers: [String]?

    public init(targets: [InjectorTarget], reports: [TargetReport], leftovers: [String]? = nil) {
        self.targets = targets
        self.reports = reports
        self.leftovers = leftovers
    }
}

/// What it is told: everything that shall be in effect on its targets. All else it takes back.
public struct InjectorOrders: Sendable, Hashable, Codable {
    public struct Order: Sendable, Hashable, Codable {
        public var fault: String
        public var target: FaultTarget
        public var round: Int
        public var kind: FaultKind
        public var parameters: FaultParameters
        public var leaseSeconds: Int

        public init(
            fault: String, target: FaultTarget, round: Int, kind: FaultKind, parameters: FaultParameters,
            leaseSeconds: Int
        ) {
            self.fault = fault
            self.target = target
            self.round = round
            self.kind = kind
            self.parameters = parameters
            self.leaseSeconds = leaseSeconds
        }
    }

    public var orders: [Order]
    /// Nothing is injected and everything is taken back.
    public var isSwitchedOff: Bool

    public init(orders: [Order], isSwitchedOff: Bool) {
        self.orders = orders
        self.isSwitchedOff = isSwitchedOff
    }
}

/// `POST /v1/faults`.
public struct FaultDraft: Sendable, Hashable, Codable {
    public var name: String
    public var spec: FaultSpec

    public init(name: String, spec: FaultSpec) {
        self.name = name
        self.spec = spec
    }
}

/// Why a fault is ended or all of them are.
public struct FaultVerb: Sendable, Hashable, Codable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}

/// `GET /v1/faultswitch`.
public struct FaultSwitchState: Sendable, Hashable, Codable {
    public var isOff: Bool
    public var killSwitch: FaultBook.KillSwitch?
    /// Targets that may still suffer.
    public var inEffect: Int

    public init(isOff: Bool, killSwitch: FaultBook.KillSwitch?, inEffect: Int) {
        self.isOff = isOff
        self.killSwitch = killSwitch
        self.inEffect = inEffect
    }
}

/// `GET /v1/faultinjectors`.
public struct InjectorSummary: Sendable, Hashable, Codable {
    public var name: String
    public var seenAt: Timestamp
    /// Whether it may be given a fault.
    public var isPresent: Bool
    public var targets: [InjectorTarget]
    public var leftovers: [String]

    public init(
        name: String, seenAt: Timestamp, isPresent: Bool, targets: [InjectorTarget], leftovers: [String]
    ) {
        self.name = name
        self.seenAt = seenAt
        self.isPresent = isPresent
        self.targets = targets
        self.leftovers = leftovers
    }
}
