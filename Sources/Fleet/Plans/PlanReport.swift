/// The typed reasons of a plan.
public struct PlanReport: Sendable, Hashable, Codable {
    /// Policy of workloads whose pool has none of its own, such as `best-fit`.
    public var policy: String
    /// Policy documents that decided for pools of the plan, sorted by pool; nil where there were none.
    public var policies: [PoolPolicy]?
    /// What predictions of lifetimes came down to in pools of the plan that go by them or try a policy in the
    /// shadow, sorted by pool; nil where no pool does.
    public var lifetimes: [PoolLifetimes]?
    /// Hosts that were looked at.
    public var hosts: Int
    public var placed: Int
    /// Workloads that no host could take, with why.
    public var unplaced: [Unplaced]

    public init(
        policy: String, policies: [PoolPolicy]? = nil, lifetimes: [PoolLifetimes]? = nil, hosts: Int,
        placed: Int, unplaced: [Unplaced]
    ) {
        self.policy = policy
        self.policies = policies
        self.lifetimes = lifetimes
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

    /// How a pool's VMs were placed, where that is not said by the name of its policy.
    public struct PoolLifetimes: Sendable, Hashable, Codable {
        public var pool: String
        /// What the pool asks for.
        public var policy: PoolSpec.Placement
        /// What it came down to: less, while the classes predicted for VMs are not right often enough.
        public var goesBy: PoolSpec.Placement
        /// How often the predicted class was right, over the VMs that ended in the last week, per mille; nil
        /// while too few ended.
        public var classAccuracyPerMille: Int?
        /// What another policy would have done.
        public var shadow: Shadow?

        public init(
            pool: String, policy: PoolSpec.Placement, goesBy: PoolSpec.Placement,
            classAccuracyPerMille: Int?, shadow: Shadow? = nil
        ) {
            self.pool = pool
            self.policy = policy
            self.goesBy = goesBy
            self.classAccuracyPerMille = classAccuracyPerMille
            self.shadow = shadow
        }
    }

    /// A policy that was asked and not followed, each time on the hosts as the followed one left them.
    public struct Shadow: Sendable, Hashable, Codable {
        public var policy: PoolSpec.Placement
        /// As in `PoolLifetimes`.
        public var goesBy: PoolSpec.Placement
        /// VMs that it was asked about: those that the plan places.
        public var asked: Int
        /// VMs that it would have placed on another host.
        public var differ: Int
        /// Those by the score that decided, sorted by it.
        public var reasons: [ShadowReason]

        public init(
            policy: PoolSpec.Placement, goesBy: PoolSpec.Placement, asked: Int = 0, differ: Int = 0,
            reasons: [ShadowReason] = []
        ) {
            self.policy = policy
            self.goesBy = goesBy
            self.asked = asked
            self.differ = differ
            self.reasons = reasons
        }
    }

    public struct ShadowReason: Sendable, Hashable, Codable {
        /// Name of the score, as in the keys of explanations.
        public var score: String
        public var vms: Int

        public init(score: String, vms: Int) {
            self.score = score
            self.vms = vms
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
    /// What predicts its lifetime; nil where its pool goes by none.
    public var predictor: PredictorInUse?

    public init(
        hosts: Int, feasible: Int, rejected: [Rejection], candidates: [Candidate] = [],
        nearestFix: String? = nil, gang: Gang? = nil, predictor: PredictorInUse? = nil
    ) {
        self.predictor = predictor
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
