internal import Fleet
internal import ServingPlanning

/// A question to the planner, answered beside the pipeline on a copy of what it asks about.
struct ServingQuestion: Sendable {
    enum Subject: Sendable, Equatable {
        /// Groups, phases and routes from nothing.
        case full
        /// Phases and routes of groups that stand.
        case standing([ServingPlanSummary.Group])
        /// The same of all groups, for what is observed.
        case shifted([ServingPlanSummary.Group])
    }

    var uid: ID<Document>
    var generation: Int
    var spec: ServingDeploymentSpec
    var field: ServingField
    /// What is to be planned for; nil is what the spec expects.
    var demand: ServingDemand?
    var subject: Subject
    var seed: UInt64

    /// States that a search from nothing judges: those of 32 GPUs in some seconds.
    private static let evaluations = 600
    /// After which it ends with what it has.
    private static let longest = (full: 10.0, standing: 1.0)

    /// - Parameter uptime: ends searches that take too long.
    func answer(
        catalogue: ServingCatalogue, uptime: @escaping ServingPlanner.Uptime
    ) throws(ServingError) -> ServingPlan {
        let planner = ServingPlanner(uptime: uptime)
        var spec = spec
        spec.demand = demand ?? spec.demand
        let problem = try field.problem(of: spec, catalogue: catalogue)
        switch subject {
        case .full:
            let limits = try SearchLimits(evaluations: Self.evaluations)
            if let budget = spec.budgetCentsPerHour {
                return try planner.rent(
                    problem, within: Double(budget) / 100, cheapest: false, limits: limits,
                    seconds: Self.longest.full, seed: seed)
            }
            return try planner.plan(problem, limits: limits, seconds: Self.longest.full, seed: seed)
        case .standing(let groups), .shifted(let groups):
            guard let standing = field.standing(groups) else {
                throw ServingError(.plan, "a host of a group is gone")
            }
            return try planner.plan(
                standing: standing, problem, seconds: Self.longest.standing, seed: seed)
        }
    }
}

/// What came of a question.
struct ServingAnswer: Sendable {
    var question: ServingQuestion
    var outcome: Result<ServingPlan, ServingError>
}

/// Searches of a cell: those under way, and those whose answers wait for the next cycle.
struct ServingKeeping {
    /// Searches at once: each takes a core.
    static let atOnce = 2

    var asked: [ServingQuestion] = []
    var running: Set<ID<Document>> = []
    var answers: [ServingAnswer] = []
    var catalogue: ServingCatalogue?
    /// When reports of routers were last read.
    var readAt: Timestamp?
    /// Hosts with replicas that are to be empty, as they were last looked at.
    var evictions: Evictions?

    struct Evictions {
        var hosts: [ID<Document>]
        var at: Timestamp
        var found: [String: HostEviction]
    }

    func isBusy(_ uid: ID<Document>) -> Bool {
        running.contains(uid) || asked.contains { $0.uid == uid }
            || answers.contains { $0.question.uid == uid }
    }
}
