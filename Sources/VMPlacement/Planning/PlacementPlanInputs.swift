public import Fleet

/// What a plan depends on beside the cell and the queue.
public struct PlacementPlanInputs: Sendable {
    /// Policy of requests that name no pool, and of pools without one of their own.
    public var policy: PlacementPolicy
    /// `spec.placement` of pools, by name; applies to requests that name the pool.
    public var poolPolicies: [String: PlacementPolicy]
    /// Documents that the policies of pools come from, by name of the pool; a built-in policy has none.
    public var poolDocuments: [String: PolicyVersion]
    /// Policies that are asked about the VMs of pools and not followed, by name of the pool.
    public var poolShadows: [String: PlacementPolicy]
    /// Creation time of plan and allocations.
    public var now: Timestamp
    /// The fleet clock, which lifetimes go by.
    public var fleetNow: Timestamp
    /// Recorded in the plan; the policies of today take no chances.
    public var seed: UInt64
    /// Last plan of (cell, engine).
    public var parent: ID<Plan>?
    /// VMs placed by one plan, so that a commit stays short; the rest of the queue waits for the next. A gang
    /// that begins below it is placed whole.
    public var maxGroups: Int

    public init(
        policy: PlacementPolicy = .bestFit, poolPolicies: [String: PlacementPolicy] = [:],
        poolDocuments: [String: PolicyVersion] = [:], poolShadows: [String: PlacementPolicy] = [:],
        now: Timestamp, fleetNow: Timestamp? = nil,
        seed: UInt64 = 0, parent: ID<Plan>? = nil, maxGroups: Int = 1000
    ) {
        self.policy = policy
        self.poolPolicies = poolPolicies
        self.poolDocuments = poolDocuments
        self.poolShadows = poolShadows
        self.now = now
        self.fleetNow = fleetNow ?? now
        self.seed = seed
        self.parent = parent
        self.maxGroups = maxGroups
    }

    /// The policy that places `request`.
    public func policy(for request: VMRequest) -> PlacementPolicy {
        request.pool.flatMap { poolPolicies[$0] } ?? policy
    }

    /// The document that the policy of `request` comes from; nil for a built-in one.
    public func document(for request: VMRequest) -> PolicyVersion? {
        request.pool.flatMap { poolDocuments[$0] }
    }
}
