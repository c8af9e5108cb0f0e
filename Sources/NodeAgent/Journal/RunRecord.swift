public import AgentProtocol
public import Fleet

/// One line of a start/stop journal: what the shims of a substrate did.
public struct RunRecord: Sendable, Equatable, Codable {
    public enum Event: String, Sendable, Codable {
        /// On disk before anything runs; the part counts as running from here.
        case start
        /// It certainly no longer runs.
        case stop
        /// It was found running by a new process.
        case adopt
        /// The end is no longer of interest to the agent.
        case forget
    }

    public enum Cause: String, Sendable, Codable {
        case directive
        /// The fence deadline passed.
        case fenced
        case startFailed
        /// It ended without being asked to.
        case exited
        case restart
    }

    /// Wall time of the event, which may be before it was written: a fence deadline holds without a writer.
    public var time: Timestamp
    /// Name of the host.
    public var host: String
    public var allocation: ID<Allocation>
    public var workload: ID<Document>
    public var part: String
    public var event: Event
    public var reason: Cause
    /// With `start`.
    public var directive: PartDirective?
    /// With `stop`.
    public var end: PartEnd?

    public init(
        time: Timestamp, host: String, allocation: ID<Allocation>, workload: ID<Document>, part: String,
        event: Event, reason: Cause, directive: PartDirective? = nil, end: PartEnd? = nil
    ) {
        self.time = time
        self.host = host
        self.allocation = allocation
        self.workload = workload
        self.part = part
        self.event = event
        self.reason = reason
        self.directive = directive
        self.end = end
    }
}
