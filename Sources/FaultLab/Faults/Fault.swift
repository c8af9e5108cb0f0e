/// One fault: what, where, how strongly, from when and for how long.
public struct Fault: Sendable, Hashable, Codable {
    /// Unique within its schedule.
    public var id: Int
    public var kind: FaultKind
    public var target: FaultTarget
    public var parameters: FaultParameters
    /// Time since the run began.
    public var start: Duration
    /// How long it lasts; it reverts by itself then. Zero for what happens at one moment.
    public var lease: Duration

    public init(
        id: Int, kind: FaultKind, target: FaultTarget, parameters: FaultParameters = FaultParameters(),
        start: Duration, lease: Duration
    ) {
        self.id = id
        self.kind = kind
        self.target = target
        self.parameters = parameters
        self.start = start
        self.lease = lease
    }

    public var end: Duration { start + lease }
}

/// What a fault is done to. Written `component/name`, such as `host/b-03`.
public struct FaultTarget: Sendable, Hashable, Comparable, CustomStringConvertible {
    public enum Component: String, Sendable, Hashable, CaseIterable {
        case agent, host, rack, device, vm, controller, store, policy, project, pool
        /// Between an agent and the controllers; named by the agent.
        case link
        case job, replica
    }

    public var component: Component
    public var name: String

    public init(_ component: Component, _ name: String) {
        self.component = component
        self.name = name
    }

    /// Nil for a text that is none.
    public init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/"),
            let component = Component(rawValue: String(text[..<slash]))
        else { return nil }
        self.init(component, String(text[text.index(after: slash)...]))
    }

    public var description: String { "\(component.rawValue)/\(name)" }

    public static func < (lhs: FaultTarget, rhs: FaultTarget) -> Bool {
        (lhs.component.rawValue, lhs.name) < (rhs.component.rawValue, rhs.name)
    }
}

extension FaultTarget: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let target = FaultTarget(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a target is written component/name")
        }
        self = target
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// How strongly; each kind reads what it has a use for and has a standard for what is nil.
public struct FaultParameters: Sendable, Hashable, Codable {
    /// Of one message, call or start, 0 to 1.
    public var probability: Double?
    /// Of a message or call.
    public var delaySeconds: Double?
    /// Of a clock; forward above 0.
    public var offsetSeconds: Double?
    /// How many: devices that are missing, controllers or VMs that are hit.
    public var count: Int?
    /// For a transaction under way: whether it is lost or committed.
    public var commits: Bool?
    /// An XID, a value of a policy, a label.
    public var value: String?

    public init(
        probability: Double? = nil, delaySeconds: Double? = nil, offsetSeconds: Double? = nil,
        count: Int? = nil, commits: Bool? = nil, value: String? = nil
    ) {
        self.probability = probability
        self.delaySeconds = delaySeconds
        self.offsetSeconds = offsetSeconds
        self.count = count
        self.commits = commits
        self.value = value
    }
}
