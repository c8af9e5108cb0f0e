import AgentProtocol
import FaultLab
import Fleet

/// Everything a `MemoryStore` holds, as one value with one method per call of the protocol.
///
/// Every method checks first and writes after, so a throwing method has written nothing.
struct MemoryState {
    var documents = DocumentTable()
    /// Of `documents`, and of every copy of them.
    let readings = DocumentReadings()
    var hosts: [ID<Document>: HostRow] = [:]
    var hostsOfSession: [ID<AgentSession>: Set<ID<Document>>] = [:]
    /// Which host a device is installed in; a uuid is in one host at most.
    var hostOfDevice: [String: ID<Document>] = [:]
    var allocations = AllocationTable()
    var usage: [String: QuotaUsage] = [:]
    var limits: [String: Quota] = [:]
    var plans: [ID<Plan>: Plan] = [:]
    var planHeads: [PlanLine: ID<Plan>] = [:]
    /// What was written down of lifetimes, by cell and by host.
    var cellLifetimes: [String: String] = [:]
    var hostLifetimes: [ID<Document>: HostLifetimeRow] = [:]
    /// Ratios of oversubscription: of scopes by document, what people decided, what was decided of use.
    var scopeRates: [ID<Document>: ScopeRate] = [:]
    var constraints: [ID<ScopeConstraint>: ConstraintRow] = [:]
    var rateDecisions: [ID<ScopeDecision>: DecisionRow] = [:]
    var feed = FeedLog()
    var leases: [String: LeaseRow] = [:]
    var cluster: ClusterState
    var pulse: ControllerPulse
    var trippedDomains: [DomainKey: TrippedBreaker] = [:]
    /// When the epoch was raised last.
    var raisedAt: Timestamp?
    /// Cells in which allocations from before the epoch are not listed to agents yet.
    var quarantinedCells: Set<String> = []
    /// Hosts of parts that run although their allocation is released.
    var strays: [ID<Allocation>: ID<Document>] = [:]
    var sessions: [ID<AgentSession>: SessionRow] = [:]
    var sessionOfCredential: [String: ID<AgentSession>] = [:]
    var joinTokens: [String: JoinTokenRow] = [:]
    var requests: [RequestKey: RequestRow] = [:]
    var events: [EventRecord] = []
    /// Numbers of the transactions that wrote `events`.
    var eventTransactions: [UInt64] = []
    var audit: [AuditRecord] = []
    /// Those that are over as well.
    var faultBook = FaultBook()
    var faultVersion: Int64 = 0
    var operations: [ID<OperationRecord>: OperationRecord] = [:]
    var tokens: [String: AccessToken] = [:]
    /// Specs of the kinds that keep their history, oldest first.
    var versions: [ID<Document>: [DocumentVersion]] = [:]
    /// Files of models, by model.
    var modelFiles: [ID<Document>: String] = [:]
    /// VMs that are gone.
    var vmHistory: [ID<Document>: VMHistoryRecord] = [:]
    /// How far parts of training jobs are.
    var progress: [ID<Allocation>: TrainingProgress] = [:]
    /// What training engines remember, by cell.
    var trainingMemories: [ID<Document>: TrainingMemory] = [:]
    /// Last reports of routers, by deployment and router.
    var servingReports: [ID<Document>: [String: ServingReportRecord]] = [:]
    var questions: [ID<LogQuestion>: QuestionRow] = [:]
    var guards: [ID<Document>: HostGuardRecord] = [:]
    var usageBins: [UsageBinRow] = []
    var usageHours: [UsageHourKey: UsageHour] = [:]
    var hostBins: [HostBinRow] = []
    /// Hours of scopes, by their documents.
    var scopeHourRows: [UsageHourKey: ScopeHour] = [:]
    /// Days of scopes, by their documents.
    var riskDayRows: [ID<Document>: [Int: RiskDay]] = [:]
    var trialRows: [ID<ScopeDecision>: TrialRow] = [:]
    var guardAskRows: [ID<Allocation>: GuardAskRow] = [:]
    /// Start of the first hour that is not made of bins yet.
    var usageRolledTo = 0
    var transaction: MemoryTransaction

    init(cluster: ClusterState) {
        self.cluster = cluster
        pulse = ControllerPulse(last: cluster.realOrigin)
        transaction = MemoryTransaction(now: cluster.realOrigin)
    }

    /// Time of the call under way.
    var now: Timestamp { transaction.now }
}

/// An engine in a cell: what plans follow one another in.
struct PlanLine: Hashable {
    var cell: String
    var engine: Plan.Engine
}

/// A failure domain of a cell.
struct DomainKey: Hashable, Comparable {
    var cell: String
    var zone: String

    static func < (lhs: DomainKey, rhs: DomainKey) -> Bool { (lhs.cell, lhs.zone) < (rhs.cell, rhs.zone) }
}

/// One idempotency key of one actor.
struct RequestKey: Hashable {
    var actor: String
    var key: String
}

struct RequestRow {
    /// Longest time a key is remembered: whoever repeats a request does so within hours.
    static let retention = Duration.seconds(86_400)

    enum Outcome {
        case created(Resource)
        /// Counts who performs it.
        case claimed(Int)
        case answered(KeptAnswer)
    }

    var requestHash: String
    var outcome: Outcome
    var at: Timestamp
}

/// What the unreleased allocations of a project sum to, whether or not its document existed when they began.
struct QuotaUsage: Equatable {
    var resources = Resources.zero
    var devices = 0

    mutating func add(_ allocation: Allocation, sign: Int = 1) {
        resources.milliCPU += sign * allocation.resources.milliCPU
        resources.memoryMiB += sign * allocation.resources.memoryMiB
        devices += sign * allocation.devices.count
    }

    func fits(in quota: Quota) -> Bool {
        resources.milliCPU <= quota.milliCPU ?? .max && resources.memoryMiB <= quota.memoryMiB ?? .max
            && devices <= quota.devices ?? .max
    }
}
