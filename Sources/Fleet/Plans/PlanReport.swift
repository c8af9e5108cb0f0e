/// The typed reasons of a plan.
public struct PlanReport: Sendable, Hashable, Codable {
    /// Policy of workloads whose pool has none of its own, such as `best-fit`.
    public var policy: String
    /// Policy documents that decided for pools of the plan, sorted by pool; nil where there were none.
    public var policies: [PoolPolicy]?
    /// Hosts that were looked at.
    public var hosts: Int
    public var placed: Int
    /// Workloads that no host could take, with why.
    public var unplaced: [Unplaced]

    public init(
        policy: String, policies: [PoolPolicy]? = nil, hosts: Int, placed: Int, unplaced: [Unplaced]
    ) {
        self.policy = policy
        self.policies = policies
        self.hosts = hosts
        self.placed = placed
        self.unplaced = unplaced
    }

    /// The version of a policy document that a pool went by.
    public struct PoolPolicy: Sendable, Hashable, Codable {
        public var pool: String
        public var policy: PolicyVersion

        public init(pool: String, policy: PolicyVersion) {
            self.pool = pool
            self.policy = policy
        }
    }

    public struct Unplaced: Sendable, Hashable, Codable {
        public var project: String
        public var name: String
        public var explanation: PlacementExplanation

        public init(project: String, name: String, explanation: PlacementExplanation) {
            self.project = project
            self.name = name
            self.explanation = explanation
        }
    }
}

/// Why one workload is or would be placed where, or nowhere: what `why` answers.
public struct PlacementExplanation: Sendable, Hashable, Codable {
    /// Hosts of the cell.
    public var hosts: Int
    /// Hosts that pass every constraint.
    public var feasible: Int
    /// Hosts per constraint that refused them first.
    public var rejected: [Rejection]
    /// Best hosts with their lexicographic keys, winner first.
    public var candidates: [Candidate]
    /// The smallest change seen that would let a host take the workload, in words.
    public var nearestFix: String?

    public init(
        hosts: Int, feasible: Int, rejected: [Rejection], candidates: [Candidate] = [],
        nearestFix: String? = nil
    ) {
        self.hosts = hosts
        self.feasible = feasible
        self.rejected = rejected
        self.candidates = candidates
        self.nearestFix = nearestFix
    }

    public struct Rejection: Sendable, Hashable, Codable {
        public var reason: Reason
        public var hosts: Int

        public init(reason: Reason, hosts: Int) {
            self.reason = reason
            self.hosts = hosts
        }
    }

    public struct Candidate: Sendable, Hashable, Codable {
        public var host: String
        /// One entry per score of the chain, in order, `name=value`; smaller is better.
        public var key: [String]

        public init(host: String, key: [String]) {
            self.host = host
            self.key = key
        }
    }

    /// One line for a condition: `0 of 300 hosts fit: 250 InsufficientCPU, 50 HostCordoned`.
    public var sentence: String {
        let counts = rejected.map { "\($0.hosts) \($0.reason.rawValue)" }.joined(separator: ", ")
        let head = "\(feasible) of \(hosts) hosts fit"
        return counts.isEmpty ? head : "\(head): \(counts)"
    }
}
