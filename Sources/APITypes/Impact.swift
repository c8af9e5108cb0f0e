public import Fleet

/// Whom an incident hit and what was done about it: `GET /v1/hosts/{name}/impact` and
/// `GET /v1/faults/{name}/impact`.
public struct ImpactReport: Sendable, Hashable, Codable {
    /// What was the matter, oldest first.
    public struct Cause: Sendable, Hashable, Codable {
        public var at: Timestamp
        public var host: String
        public var reason: Reason
        public var message: String

        public init(at: Timestamp, host: String, reason: Reason, message: String) {
            self.at = at
            self.host = host
            self.reason = reason
            self.message = message
        }
    }

    /// Something that became of a workload.
    public struct Step: Sendable, Hashable, Codable {
        public var at: Timestamp
        public var reason: Reason
        public var message: String

        public init(at: Timestamp, reason: Reason, message: String) {
            self.at = at
            self.reason = reason
            self.message = message
        }
    }

    /// One part of a workload that was hit.
    public struct Hit: Sendable, Hashable, Codable {
        public var kind: Kind
        public var project: String
        public var name: String
        public var part: String
        public var host: String
        /// Those that it held.
        public var devices: [String]
        public var allocation: ID<Allocation>
        /// Of the allocation now.
        public var state: Allocation.State
        public var reason: Reason
        public var message: String
        /// What became of the workload since, oldest first.
        public var done: [Step]

        public init(
            kind: Kind, project: String, name: String, part: String, host: String, devices: [String],
            allocation: ID<Allocation>, state: Allocation.State, reason: Reason, message: String, done: [Step]
        ) {
            self.kind = kind
            self.project = project
            self.name = name
            self.part = part
            self.host = host
            self.devices = devices
            self.allocation = allocation
            self.state = state
            self.reason = reason
            self.message = message
            self.done = done
        }
    }

    /// Such as `host/gpu-3` or `fault/crash-1`.
    public var subject: String
    /// When it began; nil when nothing was the matter.
    public var since: Timestamp?
    public var causes: [Cause]
    public var workloads: [Hit]
    /// There are more than are told.
    public var isCut: Bool

    public init(subject: String, since: Timestamp?, causes: [Cause], workloads: [Hit], isCut: Bool = false) {
        self.subject = subject
        self.since = since
        self.causes = causes
        self.workloads = workloads
        self.isCut = isCut
    }
}
