/// What a pool is asked about: what becomes of its training jobs with more hosts and jobs.
public struct TrainingAddition: Sendable, Equatable, Codable {
    public struct Job: Sendable, Equatable, Codable {
        public var project: String
        public var name: String
        public var spec: TrainingJobSpec

        public init(project: String, name: String, spec: TrainingJobSpec) {
            self.project = project
            self.name = name
            self.spec = spec
        }
    }

    /// Hosts like the largest there are.
    public var hosts: Int
    /// Of the hosts; of every model that the pool has when absent.
    public var deviceModel: String?
    public var jobs: [Job]?

    public init(hosts: Int = 0, deviceModel: String? = nil, jobs: [Job]? = nil) {
        self.hosts = hosts
        self.deviceModel = deviceModel
        self.jobs = jobs
    }

    public enum Limit {
        /// Hosts that are added at once.
        public static let hosts = 1000
        public static let jobs = 1000
    }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        func check(_ field: String, _ value: Int, _ most: Int) {
            guard !(0...most).contains(value) else { return }
            found.append(
                .init(field: field, code: .outOfRange, message: "\(value) is outside 0 to \(most)"))
        }
        check("hosts", hosts, Limit.hosts)
        check("jobs", jobs?.count ?? 0, Limit.jobs)
        for (index, job) in (jobs ?? []).enumerated() {
            for defect in job.spec.defects() {
                found.append(
                    .init(field: "jobs[\(index)].\(defect.field)", code: defect.code, message: defect.message)
                )
            }
        }
        return found
    }
}

/// What becomes of the training jobs of a pool: as it is, and as it was asked about.
public struct TrainingPreview: Sendable, Hashable, Codable {
    /// What the scheduler, played forward, makes of a job.
    public struct Outcome: Sendable, Hashable, Codable {
        /// Nil for later than was looked at.
        public var startsAt: Timestamp?
        public var endsAt: Timestamp?
        /// What it holds, or is to begin with.
        public var shape: TrainingShape?
        /// Why it does not start at once; nil when it does.
        public var reason: Reason?
        /// Place in the order of starts, from 1; nil for what runs.
        public var position: Int?

        public init(
            startsAt: Timestamp?, endsAt: Timestamp?, shape: TrainingShape?, reason: Reason?, position: Int?
        ) {
            self.startsAt = startsAt
            self.endsAt = endsAt
            self.shape = shape
            self.reason = reason
            self.position = position
        }
    }

    public struct Job: Sendable, Hashable, Codable {
        public var project: String?
        public var name: String
        /// Whether it was asked about, and is not there.
        public var isNew: Bool?
        public var state: TrainingJobState
        /// Nil for a job that is not there, that no plan fits, or that is between two shapes.
        public var now: Outcome?
        /// Nil for a job that no plan fits, or that is between two shapes.
        public var then: Outcome?

        public init(
            project: String?, name: String, isNew: Bool?, state: TrainingJobState, now: Outcome?,
            then: Outcome?
        ) {
            self.project = project
            self.name = name
            self.isNew = isNew
            self.state = state
            self.now = now
            self.then = then
        }
    }

    public var pool: String
    /// The scheduler that was asked.
    public var policy: String
    /// In the order in which they came.
    public var jobs: [Job]

    public init(pool: String, policy: String, jobs: [Job]) {
        self.pool = pool
        self.policy = policy
        self.jobs = jobs
    }
}

/// The least change that would start a job at once.
public struct TrainingChange: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable { case hosts, quota }

    public var kind: Kind
    /// Hosts, or devices of the quota.
    public var count: Int
    /// Of hosts.
    public var devicesPerHost: Int?
    public var message: String

    public init(kind: Kind, count: Int, devicesPerHost: Int? = nil, message: String) {
        self.kind = kind
        self.count = count
        self.devicesPerHost = devicesPerHost
        self.message = message
    }
}
