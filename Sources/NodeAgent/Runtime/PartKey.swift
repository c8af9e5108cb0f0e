public import AgentProtocol
public import Fleet

/// Names one part on one host.
public struct PartKey: Sendable, Hashable, Comparable {
    public var host: String
    public var allocation: ID<Allocation>

    public init(host: String, allocation: ID<Allocation>) {
        self.host = host
        self.allocation = allocation
    }

    public static func < (lhs: PartKey, rhs: PartKey) -> Bool {
        lhs.host == rhs.host ? lhs.allocation < rhs.allocation : lhs.host < rhs.host
    }
}

/// A part that shall begin to run.
public struct PartStart: Sendable, Equatable {
    public var key: PartKey
    public var directive: PartDirective

    public init(key: PartKey, directive: PartDirective) {
        self.key = key
        self.directive = directive
    }
}
