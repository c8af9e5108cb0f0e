internal import AgentProtocol
internal import FaultLab
internal import Fleet
internal import Store

extension StoreLink: RecordStore {
    func appendEvents(_ events: [EventDraft]) async throws {
        try await write { try await $0.appendEvents(events) }
    }

    func events(_ query: EventQuery) async throws -> [EventRecord] {
        try await read { try await $0.events(query) }
    }

    func followEvents(_ query: EventQuery, after cursor: FeedCursor) async throws -> EventPage {
        try await read { try await $0.followEvents(query, after: cursor) }
    }

    func vmLives(since: Timestamp, limit: Int) async throws -> [VMLife] {
        try await read { try await $0.vmLives(since: since, limit: limit) }
    }

    func putOperation(_ operation: OperationRecord, context: WriteContext) async throws {
        try await write { try await $0.putOperation(operation, context: context) }
    }

    func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord? {
        try await read { try await $0.operation(id) }
    }

    func operations(limit: Int) async throws -> [OperationRecord] {
        try await read { try await $0.operations(limit: limit) }
    }

    func createToken(_ token: AccessToken, context: WriteContext, isTrial: Bool) async throws {
        try await write { try await $0.createToken(token, context: context, isTrial: isTrial) }
    }

    func token(secretHash: String) async throws -> AccessToken? {
        try await read { try await $0.token(secretHash: secretHash) }
    }

    func tokens(after name: String?, limit: Int) async throws -> [AccessToken] {
        try await read { try await $0.tokens(after: name, limit: limit) }
    }

    func deleteToken(_ name: String, context: WriteContext) async throws {
        try await write { try await $0.deleteToken(name, context: context) }
    }

    func audit(_ query: AuditQuery) async throws -> [AuditRecord] {
        try await read { try await $0.audit(query) }
    }

    func recordRefusal(of name: String, project: String?, context: WriteContext) async throws {
        try await write { try await $0.recordRefusal(of: name, project: project, context: context) }
    }

    func keepHouse() async throws {
        try await write { try await $0.keepHouse() }
    }

    func quotas() async throws -> [QuotaRecord] {
        try await read { try await $0.quotas() }
    }
}

extension StoreLink: AnswerStore {
    func claim(_ key: IdempotencyKey, actor: String, patience: Duration) async throws -> RequestClaim {
        try await write { try await $0.claim(key, actor: actor, patience: patience) }
    }

    func keep(_ answer: KeptAnswer, of key: IdempotencyKey, actor: String, claim: Int) async throws {
        try await write { try await $0.keep(answer, of: key, actor: actor, claim: claim) }
    }

    func giveBack(_ key: IdempotencyKey, actor: String, claim: Int) async throws {
        try await write { try await $0.giveBack(key, actor: actor, claim: claim) }
    }
}

extension StoreLink: LogStore {
    func ask(_ question: LogQuestion, session: ID<AgentSession>) async throws {
        try await write { try await $0.ask(question, session: session) }
    }

    func sessionsAsked() async throws -> [ID<AgentSession>] {
        try await read { try await $0.sessionsAsked() }
    }

    func takeQuestions(session: ID<AgentSession>) async throws -> [LogQuestion] {
        try await write { try await $0.takeQuestions(session: session) }
    }

    func answer(_ answer: LogAnswer, session: ID<AgentSession>) async throws {
        try await write { try await $0.answer(answer, session: session) }
    }

    func takeAnswer(_ id: ID<LogQuestion>) async throws -> LogAnswer? {
        try await read { try await $0.takeAnswer(id) }
    }
}

extension StoreLink: RateStore {
    func recordPeaks(_ peaks: [ID<Allocation>: Int?], lease: CellLease) async throws -> Int {
        try await write { try await $0.recordPeaks(peaks, lease: lease) }
    }

    func decide(_ change: RateChange, lease: CellLease) async throws -> Bool {
        try await write { try await $0.decide(change, lease: lease) }
    }

    func approve(_ id: ID<ScopeDecision>, reason: String, context: WriteContext, isTrial: Bool) async throws
        -> ScopeDecision
    {
        try await write { try await $0.approve(id, reason: reason, context: context, isTrial: isTrial) }
    }

    func keepDecisions(for age: Duration) async throws -> Int {
        try await write { try await $0.keepDecisions(for: age) }
    }

    func recordOutcomes(_ outcomes: [ID<ScopeDecision>: ScopeDecision.Realized], lease: CellLease)
        async throws
    {
        try await write { try await $0.recordOutcomes(outcomes, lease: lease) }
    }

    func constrain(_ constraint: ScopeConstraint, context: WriteContext, isTrial: Bool) async throws
        -> ScopeConstraint
    {
        try await write { try await $0.constrain(constraint, context: context, isTrial: isTrial) }
    }

    func unconstrain(_ id: ID<ScopeConstraint>, reason: String, context: WriteContext, isTrial: Bool)
        async throws
    {
        try await write { try await $0.unconstrain(id, reason: reason, context: context, isTrial: isTrial) }
    }

    func followRates(lease: CellLease) async throws {
        try await write { try await $0.followRates(lease: lease) }
    }

    func policyHolders(cell: String) async throws -> [PolicyHolder] {
        try await read { try await $0.policyHolders(cell: cell) }
    }

    func scopeRates() async throws -> [ScopeRate] {
        try await read { try await $0.scopeRates() }
    }

    func constraints(ended: Bool) async throws -> [ScopeConstraint] {
        try await read { try await $0.constraints(ended: ended) }
    }

    func decisions(_ query: DecisionQuery) async throws -> [ScopeDecision] {
        try await read { try await $0.decisions(query) }
    }
}

extension StoreLink: UsageStore {
    func takeUsage(_ hosts: [HostUsage], session: ID<AgentSession>) async throws -> [String] {
        try await write { try await $0.takeUsage(hosts, session: session) }
    }

    func freezeSilentHosts(after silence: Duration) async throws -> [ID<Document>] {
        try await write { try await $0.freezeSilentHosts(after: silence) }
    }

    func hostGuards() async throws -> [HostGuardRecord] {
        try await read { try await $0.hostGuards() }
    }

    func rollUpUsage(settle: Duration) async throws -> Int {
        try await write { try await $0.rollUpUsage(settle: settle) }
    }

    func usageRolledTo() async throws -> Timestamp? {
        try await read { try await $0.usageRolledTo() }
    }

    func keepUsage(bins: Duration, hours: Duration, scopes: Duration) async throws {
        try await write { try await $0.keepUsage(bins: bins, hours: hours, scopes: scopes) }
    }

    func usageBins(vm: ID<Document>, since: Timestamp) async throws -> [UsageBin] {
        try await read { try await $0.usageBins(vm: vm, since: since) }
    }

    func usageHours(vms: [ID<Document>], since: Timestamp) async throws -> [UsageHour] {
        try await read { try await $0.usageHours(vms: vms, since: since) }
    }
}

extension StoreLink: RiskStore {
    func scopeHours(of scopes: [RateScope], since: Timestamp) async throws -> [RateScope: [ScopeHour]] {
        try await read { try await $0.scopeHours(of: scopes, since: since) }
    }

    func recordDays(_ days: [RateScope: [RiskDay]], lease: CellLease) async throws {
        try await write { try await $0.recordDays(days, lease: lease) }
    }

    func riskDays(of scopes: [RateScope], since day: Int) async throws -> [RateScope: [RiskDay]] {
        try await read { try await $0.riskDays(of: scopes, since: day) }
    }

    func beginTrial(
        of decision: ID<ScopeDecision>, on hosts: [ID<Document>], startedAt: Timestamp,
        event: EventWords, lease: CellLease
    ) async throws -> Bool {
        try await write {
            try await $0.beginTrial(
                of: decision, on: hosts, startedAt: startedAt, event: event, lease: lease)
        }
    }

    func withdraw(_ decision: ID<ScopeDecision>, event: EventWords, lease: CellLease) async throws -> Bool {
        try await write { try await $0.withdraw(decision, event: event, lease: lease) }
    }

    func trials() async throws -> [RateTrial] {
        try await read { try await $0.trials() }
    }

    func guardAsks(cell: String) async throws -> [GuardAskRecord] {
        try await read { try await $0.guardAsks(cell: cell) }
    }

    func closeGuardAsks(_ allocations: [ID<Allocation>], lease: CellLease) async throws {
        try await write { try await $0.closeGuardAsks(allocations, lease: lease) }
    }
}

extension StoreLink: ServingStore {
    func takeServing(_ report: ServingReport, of deployment: ID<Document>) async throws {
        try await write { try await $0.takeServing(report, of: deployment) }
    }

    func servingReports(
        of deployments: [ID<Document>]
    ) async throws -> [ID<Document>: [ServingReportRecord]] {
        try await read { try await $0.servingReports(of: deployments) }
    }
}

extension StoreLink: ProgressStore {
    func takeProgress(_ parts: [PartProgress], session: ID<AgentSession>) async throws {
        try await write { try await $0.takeProgress(parts, session: session) }
    }

    func progress(of allocations: [ID<Allocation>]) async throws -> [ID<Allocation>: TrainingProgress] {
        try await read { try await $0.progress(of: allocations) }
    }

    func keep(_ memory: TrainingMemory, lease: CellLease) async throws {
        try await write { try await $0.keep(memory, lease: lease) }
    }

    func trainingMemory(cell: String) async throws -> TrainingMemory? {
        try await read { try await $0.trainingMemory(cell: cell) }
    }
}

extension StoreLink: FaultStore {
    func faultBook() async throws -> VersionedFaultBook { try await read { try await $0.faultBook() } }

    func commitFaults(
        _ change: FaultBookChange, version: Int64, context: WriteContext?
    ) async throws -> Bool {
        try await write { try await $0.commitFaults(change, version: version, context: context) }
    }

    func faults(limit: Int) async throws -> [FaultRecord] {
        try await read { try await $0.faults(limit: limit) }
    }

    func fault(_ name: String) async throws -> FaultRecord? { try await read { try await $0.fault(name) } }
}
