public import Fleet

/// Everything that shall run on one host, at one generation.
public struct HostAssignment: Sendable, Codable, Equatable {
    /// Name of the host.
    public var host: String
    public var generation: Generation
    /// SHA-256 of the parts in canonical JSON, hex. An equal generation with another hash is an alarm.
    public var hash: String
    /// Sorted by allocation id. A part that is missing here is forgotten by the agent only when it has
    /// reported it stopped; otherwise it is kept and reported as unknown.
    public var parts: [PartDirective]

    public init(host: String, generation: Generation, hash: String, parts: [PartDirective]) {
        self.host = host
        self.generation = generation
        self.hash = hash
        self.parts = parts
    }
}

/// What one part of a workload shall do on its host.
public struct PartDirective: Sendable, Codable, Equatable {
    /// What the agent is to do with the part.
    public enum Action: String, Sendable, Codable, CaseIterable { case run, stop }

    public var allocation: ID<Allocation>
    public var workload: WorkloadReference
    public var action: Action
    public var resources: Resources
    public var devices: [String]
    public var onPartition: PartitionPolicy
    /// What to run, where the substrate runs processes; nil for a part that is to stop or was found running.
    public var task: PartTask?
    /// What a VM was promised, for the guard of its host; nil from controllers that do not tell. No part of
    /// the assignment's hash, as it never changes.
    public var `class`: WorkloadClass?

    public init(
        allocation: ID<Allocation>, workload: WorkloadReference, action: Action, resources: Resources,
        devices: [String], onPartition: PartitionPolicy, task: PartTask? = nil, class: WorkloadClass? = nil
    ) {
        self.allocation = allocation
        self.workload = workload
        self.action = action
        self.resources = resources
        self.devices = devices
        self.onPartition = onPartition
        self.task = task
        self.class = `class`
    }
}

/// Waits for assignments that the session has not seen.
///
/// `POST /v1/agent/poll`. With a nil or outdated cursor the answer holds every host of the session.
public struct PollRequest: Sendable, Codable, Equatable {
    public var incarnation: Int
    /// Cursor of the last answer.
    public var cursor: String?
    /// Longest wait, seconds; bounded by the session's limits.
    public var waitSeconds: Double

    public init(incarnation: Int, cursor: String?, waitSeconds: Double) {
        self.incarnation = incarnation
        self.cursor = cursor
        self.waitSeconds = waitSeconds
    }
}

/// The hosts whose assignment changed since what the poll named.
public struct PollResponse: Sendable, Codable, Equatable {
    public var cursor: String
    public var epoch: Int
    /// Hosts whose assignment changed; repeats are allowed, gaps never happen.
    public var assignments: [HostAssignment]
    /// Output that somebody wants to read; nil for none.
    public var questions: [LogQuestion]?

    public init(
        cursor: String, epoch: Int, assignments: [HostAssignment], questions: [LogQuestion]? = nil
    ) {
        self.cursor = cursor
        self.epoch = epoch
        self.assignments = assignments
        self.questions = questions
    }
}
