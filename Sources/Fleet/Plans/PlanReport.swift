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
    /// How far a group got that is placed whole or not at all; the rest explains its first member that did
    /// not fit.
    public var gang: Gang?

    public init(
        hosts: Int, feasible: Int, rejected: [Rejection], candidates: [Candidate] = [],
        nearestFix: String? = nil, gang: Gang? = nil
    ) {
        self.hosts = hosts
        self.feasible = feasible
        self.rejected = rejected
        self.candidates = candidates
        self.nearestFix = nearestFix
        self.gang = gang
    }

    /// Members of one group that were tried together and did not all fit.
    public struct Gang: Sendable, Hashable, Codable {
        /// Name of the group.
        public var group: String
        /// Members that were to be placed together.
        public var members: Int
        /// How many of them fitted before one did not.
        public var fitted: Int
        /// Name of the one that did not.
        public var member: String

        public init(group: String, members: Int, fitted: Int, member: String) {
            self.group = group
            self.members = members
            self.fitted = fitted
            self.member = member
        }
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

    /// One line for a condition: `0 of 300 hosts fit: 250 InsufficientCPU, 50 HostCordoned`; of a gang
    /// `6 of 8 members of web fit together; web-6: 0 of 6 hosts fit: 6 AntiAffinity`.
    public var sentence: String {
        guard let gang else { return constraints }
        let head = "\(gang.fitted) of \(gang.members) members of \(gang.group) fit together"
        return "\(head); \(gang.member): \(constraints)"
    }

    private var constraints: String {
        let counts = rejected.map { "\($0.hosts) \($0.reason.rawValue)" }.joined(separator: ", ")
        let head = "\(feasible) of \(hosts) hosts fit"
        return counts.isEmpty ? head : "\(head): \(counts)"
    }
}
