/// What a round looks at.
public struct RoundState: Sendable, Hashable {
    /// Seconds.
    public var now: Double
    /// Free beside what the jobs hold.
    public var room: FreeRoom
    /// Jobs that have not ended, by id.
    public var jobs: [JobState]
    public var tenants: [Tenant]

    public init(now: Double, room: FreeRoom, jobs: [JobState], tenants: [Tenant] = []) {
        self.now = now
        self.room = room
        self.jobs = jobs
        self.tenants = tenants
    }
}

/// A new shape of one job.
public struct ShapeChange: Sendable, Hashable, Codable {
    public enum Cause: String, Sendable, Hashable, Codable {
        /// From the queue, in its turn.
        case admitted
        /// From the queue, before its turn, in room that others do not need before it ends.
        case backfilled
        /// Free room made it faster.
        case expanded
        /// Made room for another.
        case shrunk
        /// Lost all to another; its steps are kept.
        case evicted
        /// Its node is gone.
        case nodeLost
    }

    public var job: Int
    /// nil for an eviction.
    public var to: Grant?
    public var cause: Cause
    /// The job that this makes room for.
    public var beneficiary: Int?

    public init(job: Int, to: Grant?, cause: Cause, beneficiary: Int? = nil) {
        self.job = job
        self.to = to
        self.cause = cause
        self.beneficiary = beneficiary
    }
}

/// Why a job waits: one reason, in numbers.
public struct WaitReason: Sendable, Hashable, Codable {
    /// Kueue's words where it has one, and those of plans and shapes.
    public enum Token: String, Sendable, Hashable, Codable, CaseIterable {
        /// No plan of the model runs on this cell, or none is as fast as guaranteed.
        case noFeasiblePlan = "NoFeasiblePlan"
        /// The quota could never hold it.
        case exceedsMaxQuota = "ExceedsMaxQuota"
        case waitingForQuota = "WaitingForQuota"
        /// Enough GPUs are free, but not together.
        case fragmentedNeed = "FragmentedNeed"
        /// Jobs that could make room were reshaped too lately.
        case gateNotReached = "GateNotReached"
        /// Jobs that could make room would lose more than this one gains.
        case slopeTooLow = "SlopeTooLow"
        /// Room is kept for it from a known time on.
        case reserved = "Reserved"
        /// Free room is kept for a job before it.
        case heldForReservation = "HeldForReservation"
        case waitingForCapacity = "WaitingForCapacity"
    }

    public var job: Int
    public var token: Token
    /// GPUs that are missing of the shape that needs the fewest.
    public var shortfallGPUs: Int
    /// Shape whose arrival would admit it, as GPUs per node.
    public var needs: [Int]
    /// When it is expected to start.
    public var startsAt: Double?

    public init(
        job: Int, token: Token, shortfallGPUs: Int = 0, needs: [Int] = [], startsAt: Double? = nil
    ) {
        self.job = job
        self.token = token
        self.shortfallGPUs = shortfallGPUs
        self.needs = needs
        self.startsAt = startsAt
    }
}

/// What a round decides; changes that free room come before those that need it.
public struct RoundDecision: Sendable, Hashable {
    public var changes: [ShapeChange] = []
    public var waits: [WaitReason] = []

    public init(changes: [ShapeChange] = [], waits: [WaitReason] = []) {
        self.changes = changes
        self.waits = waits
    }
}

/// Decides who runs where and how: the same answer for the same state.
public protocol TrainingPolicy: Sendable {
    func round(_ state: RoundState) -> RoundDecision
}
