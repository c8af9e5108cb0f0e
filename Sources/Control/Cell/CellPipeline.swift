internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import Telemetry
internal import VMPlacement

/// Plans for one cell while it holds the cell's lease: snapshot → planner → plan → commit, one after another.
///
/// An actor, so that the questions of the API (`why`) see the model between two cycles.
actor CellPipeline {
    let cell: String
    let lease: CellLease
    let store: any Store
    let hub: FeedHub
    let ids: any IDSource
    let time: Timekeeper
    let limits: CellLimits
    let logger: Logger
    let metrics: MetricRegistry<DaemonMetric>
    let signals: SignalBuffer?
    var model: CellModel
    private var cursor: FeedCursor?
    var serving = ServingKeeping()
    var heads: [Plan.Engine: ID<Plan>?] = [:]
    /// Of the uptime, as is all that is done every so often: `judgedAt` to `roomMeasuredAt`.
    private var judgedAt: Duration?
    var measuredAt: Duration?
    var rememberedAt: Duration?
    /// What `settle` still has to look at, in order; taken from the model's dirty VMs when it is empty, so
    /// that fifty thousand of them are sorted once and not once per write.
    var settling: ArraySlice<ID<Document>> = []
    var drainReports: [ID<Document>: DrainReport] = [:]
    var drainPlanner = DrainPlanner()
    var drainedAt: Duration?
    /// What was read of hosts that drain, by the version of their documents: drains are looked at all the time.
    var readSpecs: [ID<Document>: (version: String, spec: HostSpec)] = [:]
    var defragmentation = DefragmentationMemory()
    let usage: any ScopeUsageSource
    var rates = RateKeeping()
    var risks = RiskKeeping()
    var peaks = PeakKeeping()
    var relievedAt: Timestamp?
    var repairs = RepairKeeping()
    var training = TrainingKeeping()
    /// What the next cycle takes over.
    var readyLifetimes: ReadyLifetimes?
    var lifetimeCopies = 0
    var roomMeasuredAt: Duration?
    var isMeasuringRoom = false

    init(
        lease: CellLease, store: any Store, hub: FeedHub, ids: any IDSource, time: Timekeeper,
        limits: CellLimits, usage: any ScopeUsageSource = UnknownScopeUsage(),
        logger: Logger, metrics: MetricRegistry<DaemonMetric> = MetricRegistry(),
        signals: SignalBuffer? = nil
    ) {
        self.metrics = metrics
        self.signals = signals
        cell = lease.cell
        self.lease = lease
        self.store = store
        self.hub = hub
        self.ids = ids
        self.time = time
        self.limits = limits
        self.usage = usage
        self.logger = logger
        model = CellModel(name: lease.cell)
    }

    /// Runs until the lease is lost or the task is cancelled. Errors of the store are retried with a rest;
    /// what was half done is read anew.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await time.repeatUntilLeaseLost {
                if cursor == nil { try await load() }
                let began = time.uptime()
                let worked = try await measured { try await cycle() }
                if let copy = copyForLifetimes() { group.addTask { await self.makeReady(copy) } }
                for question in questions() { group.addTask { await self.answer(question) } }
                if let pools = roomToMeasure() { group.addTask { await self.measureRoom(pools) } }
                try await rest(after: worked, since: began)
            } onFailure: {
                metrics.add(.cycleFailures, [cell])
                logger.failure("cycle failed", $0, ["cell": "\(cell)"])
                // A write of unknown outcome leaves the model unsure: everything is read again.
                cursor = nil
            }
            group.cancelAll()
        }
    }

    private func rest(after worked: Bool, since began: Duration) async throws {
        if worked {
            try await time.sleep(max(limits.cycleAtMostEvery - (time.uptime() - began), .zero))
        } else if let cursor {
            try await hub.wait(after: cursor, timeout: idleRest())
        }
    }

    /// Of the cluster, as far as it was read.
    var epoch: Int { cursor?.epoch ?? 1 }

    private func idleRest() -> Duration {
        // An answer is taken over at once.
        if !serving.running.isEmpty { return limits.cycleAtMostEvery }
        guard !model.pending.isEmpty else { return limits.restAtMost }
        guard let next = model.nextTry() else { return limits.restAtMost }
        return min(max(next - time.uptime(), .milliseconds(10)), limits.restAtMost)
    }

    // MARK: Reading

    /// Reads the whole cell. The cursor is taken first, so that nothing committed meanwhile is missed.
    private func load() async throws {
        let position = try await store.feedPosition()
        var fresh = CellModel(name: cell)
        fresh.uptime = time.uptime()
        try await fresh.readCatalogue(from: store)
        for resource in try await store.all(.vmGroup) { fresh.put(group: try VMGroupRecord(resource)) }
        for resource in try await store.all(.vm, cell: cell) { fresh.put(vm: try VMRecord(resource)) }
        for kind in PartedKinds.all {
            for resource in try await store.all(kind.kind, cell: cell) { try fresh.put(workload: resource) }
        }
        for host in try await store.hosts(.cell(cell)) { fresh.put(host: host) }
        for allocation in try await store.allocations(.cell(cell)) { fresh.put(allocation: allocation) }
        for engine in Plan.Engine.allCases {
            heads[engine] = try await store.planHead(cell: cell, engine: engine)
        }
        try await findLost(&fresh)
        try await followLifetimes(&fresh)
        model = fresh
        readyLifetimes = nil
        settling = []
        rates = RateKeeping()
        risks = RiskKeeping()
        peaks = PeakKeeping()
        repairs = RepairKeeping()
        cursor = position
        logger.info(
            "cell loaded",
            metadata: [
                "cell": "\(cell)", "hosts": "\(fresh.hosts.count)", "vms": "\(fresh.vms.count)",
                "allocations": "\(fresh.allocations.count)",
            ])
    }

    /// Workloads whose status names an allocation that the ledger does not have, not even as released: rows
    /// were lost. What they ran may run still, so nothing is started for them. What ended while nobody
    /// looked is told to its workload.
    private func findLost(_ fresh: inout CellModel) async throws {
        var named = fresh.pending.sorted().compactMap { uid in
            fresh.vms[uid]?.status.allocation.map { (uid: uid, allocation: $0) }
        }
        for (uid, workload) in fresh.parted.sorted(by: { $0.key < $1.key }) {
            named += workload.named.filter { fresh.allocations[$0] == nil }.map { (uid, $0) }
        }
        guard !named.isEmpty else { return }
        let rows = try await store.allocations(.ids(named.map(\.allocation)))
        let found = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0) })
        var events: [EventDraft] = []
        for (uid, allocation) in named {
            if let row = found[allocation] {
                if row.state == .released { fresh.parted[uid]?.ended(row, wasAsked: false) }
                continue
            }
            guard let event = Self.lossEvent(of: uid, allocation, in: fresh) else { continue }
            fresh.lose(uid)
            events.append(event)
        }
        guard !events.isEmpty else { return }
        logger.error("allocations are lost", metadata: ["cell": "\(cell)", "count": "\(events.count)"])
        try await store.appendEvents(events)
    }

    private static func lossEvent(
        of uid: ID<Document>, _ allocation: ID<Allocation>, in model: CellModel
    ) -> EventDraft? {
        let message = "the ledger does not have its allocation \(allocation): nothing is started elsewhere"
        let subject =
            model.vms[uid].map { (Kind.vm, $0.metadata, "vms") }
            ?? model.parted[uid].map { ($0.kind, $0.metadata, $0.engine.rawValue) }
        return subject.map { kind, metadata, source in
            EventDraft(
                kind: kind, project: metadata.project, name: metadata.name, uid: uid,
                reason: .allocationGone, message: message, source: source)
        }
    }

    private func spec<Spec: DocumentSpec>(_ resource: Resource) throws -> Spec {
        try JSONDecoder().decode(Spec.self, from: Data(resource.spec.utf8))
    }

    /// Reads what the feed says has changed.
    private func refresh() async throws -> Bool {
        guard var position = cursor else { return false }
        var changed = ChangedRows()
        while true {
            let page = try await hub.entries(after: position)
            guard !page.entries.isEmpty else { break }
            for entry in page.entries { changed.note(entry, cell: cell) }
            position = page.next
        }
        guard position != cursor else { return false }
        try await read(changed)
        cursor = position
        return true
    }

    private func read(_ changed: ChangedRows) async throws {
        if changed.movesRates { rates.isOutdated = true }
        for name in changed.pools.sorted() {
            let resource = try await store.document(.pool, project: nil, name: name)
            let pool: PoolSpec? = try resource.map(spec)
            model.put(pool: name, pool?.cell == cell ? pool : nil)
            model.poolRecords[name] = pool?.cell == cell ? resource.map(PoolRecord.init) : nil
        }
        try await readModels(named: changed.models)
        for name in changed.flavors.sorted() {
            model.put(flavor: name, try await store.document(.flavor, project: nil, name: name).map(spec))
        }
        for name in changed.policies.sorted() {
            let resource = try await store.document(.policy, project: nil, name: name)
            model.policies[name] = resource.flatMap { PolicyRecord($0) }
        }
        for name in changed.projects.sorted() { model.retryRefused(project: name) }
        if !changed.hosts.isEmpty {
            let rows = try await store.hosts(.ids(changed.hosts.sorted()))
            for host in rows where host.cell == cell { model.put(host: host) }
            let present = Set(rows.filter { $0.cell == cell }.map(\.id))
            for id in changed.hosts.subtracting(present) { model.drop(host: id) }
        }
        if !changed.vms.isEmpty {
            let rows = try await store.documents(.vm, uids: changed.vms.sorted())
            for resource in rows { model.put(vm: try VMRecord(resource)) }
            for uid in changed.vms.subtracting(rows.map(\.metadata.uid)) { model.drop(vm: uid) }
        }
        for (kind, uids) in changed.parted.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let rows = try await store.documents(kind, uids: uids.sorted())
            for resource in rows { try model.put(workload: resource) }
            for uid in uids.subtracting(rows.map(\.metadata.uid)) { model.drop(workload: uid) }
        }
        if !changed.groups.isEmpty {
            let rows = try await store.documents(.vmGroup, uids: changed.groups.sorted())
            for resource in rows { model.put(group: try VMGroupRecord(resource)) }
            for uid in changed.groups.subtracting(rows.map(\.metadata.uid)) { model.drop(group: uid) }
        }
        if !changed.allocations.isEmpty {
            for allocation in try await store.allocations(.ids(changed.allocations.sorted())) {
                model.put(allocation: allocation)
            }
        }
        if !changed.models.isEmpty || !changed.policies.isEmpty || !changed.pools.isEmpty {
            try await followPredictors(now: time.now())
        }
    }

    // MARK: Working

    /// One pass over everything; true when something was written or read.
    private func cycle() async throws -> Bool {
        model.uptime = time.uptime()
        var worked = try await refresh()
        worked = changeLifetimes() || worked
        worked = try await judge() || worked
        worked = try await repair() || worked
        worked = try await rate() || worked
        worked = try await foretellPeaks() || worked
        worked = try await stop() || worked
        worked = try await place() || worked
        worked = try await train() || worked
        worked = try await serve() || worked
        worked = try await handOver() || worked
        worked = try await relieve() || worked
        worked = try await drain() || worked
        worked = try await defragment() || worked
        worked = try await settle() || worked
        try await remember()
        return worked
    }

    /// Judges host leases, and frees what has certainly stopped on fenced hosts.
    private func judge() async throws -> Bool {
        let now = time.uptime()
        if let judgedAt, now - judgedAt < limits.judgeEvery { return false }
        judgedAt = now
        let judgement = try await store.judgeHosts(cell: lease, terms: limits.terms, breaker: limits.breaker)
        for (hosts, word) in [
            (judgement.suspected, "suspect"), (judgement.fenced, "fenced"), (judgement.returned, "back"),
        ]
        where !hosts.isEmpty {
            logger.notice("hosts \(word)", metadata: ["cell": "\(cell)", "count": "\(hosts.count)"])
        }
        metrics.add(.hostsFenced, [cell], by: Double(judgement.fenced.count))
        metrics.set(.breakerTripped, [cell], to: Double(judgement.tripped.count))
        model.hold(zones: Set(judgement.tripped))
        try await cordonFlapping(judgement)
        for host in model.hosts.values.filter({ $0.contact == .fenced }).sorted(by: { $0.id < $1.id })
        where model.allocations(on: host.id).contains(where: { $0.onPartition == .stop }) {
            _ = try await store.releaseFenced(
                host: host.id, everything: false, lease: lease,
                context: WriteContext(actor: "controller/hosts", verb: "fence"))
        }
        return false
    }

    /// Stops the parts of deleted workloads.
    private func stop() async throws -> Bool {
        var directives: [Plan.Engine: [ReleaseDirective]] = [:]
        var count = 0
        for uid in model.deleting.sorted() where count < limits.groupsPerPlan {
            for allocation in model.writers(of: uid) where allocation.state != .releasing {
                directives[model.parted[uid]?.engine ?? .vmPlacement, default: []].append(
                    ReleaseDirective(
                        allocation: allocation.id, reason: .deletionRequested,
                        message: "its deletion was asked for"))
                count += 1
            }
        }
        var worked = false
        for engine in Plan.Engine.allCases {
            guard let directives = directives[engine] else { continue }
            worked = try await release(directives, engine: engine, policy: "delete") || worked
        }
        return worked
    }

    func release(_ directives: [ReleaseDirective], engine: Plan.Engine, policy: String) async throws -> Bool {
        guard !directives.isEmpty else { return false }
        let plan = Plan(
            id: ID(ids.next()), cell: cell, engine: engine, parent: heads[engine] ?? nil,
            inputsHash: "", seed: 0, groups: directives.map { DirectiveGroup([.release($0)]) },
            report: PlanReport(policy: policy, hosts: model.hosts.count, placed: 0, unplaced: []),
            createdAt: time.now())
        try await commit(plan)
        return true
    }

    private func place() async throws -> Bool {
        guard !model.pending.isEmpty else { return false }
        let now = time.now()
        let requests = model.requests(limit: limits.groupsPerPlan)
        guard !requests.isEmpty else { return false }
        let (policies, documents) = model.placementPolicies()
        let fleetNow = model.clock.time(at: now)
        // What the plan is made on is written down with it, and not what it makes of it.
        model.placement.advance(to: fleetNow, repredicting: false)
        let trial = model.placement.lifetimeTrial
        let inputs = PlacementPlanInputs(
            policy: .bestFit, poolPolicies: policies, poolDocuments: documents,
            poolShadows: model.shadowPolicies(), now: now, fleetNow: fleetNow,
            parent: heads[.vmPlacement] ?? nil,
            maxGroups: limits.groupsPerPlan)
        let plan = VMPlacementPlanner.plan(on: &model.placement, pending: requests, inputs: inputs, ids: ids)
        let uids = Dictionary(
            requests.map { (Name(project: $0.workload.project, name: $0.workload.name), $0.workload.uid) },
            uniquingKeysWith: { first, _ in first })
        for unplaced in plan.report.unplaced {
            if let uid = uids[Name(project: unplaced.project, name: unplaced.name)] {
                model.block(uid, unplaced.explanation)
            }
        }
        // A plan that places nothing is not worth a row: the reasons stand in the statuses.
        guard !plan.groups.isEmpty else { return true }
        try await commit(plan, lifetimes: try lifetimeNote(at: trial, for: plan), trial: trial)
        return true
    }

    private struct Name: Hashable {
        var project: String
        var name: String
    }

    /// Commits a plan and brings the model to what the ledger then holds.
    ///
    /// - Parameters:
    ///   - lifetimes: what the plan was made on and is not written down yet.
    ///   - trial: lifetimes before the plan.
    func commit(
        _ plan: Plan, lifetimes: LifetimeNote? = nil, trial: LifetimeTrial? = nil
    ) async throws {
        let statuses = try statuses(after: plan)
        let (began, uptime) = (time.now(), time.uptime())
        let outcome: CommitOutcome
        do {
            outcome = try await store.commit(
                LedgerCommit(lease: lease, plan: plan, statuses: statuses, lifetimes: lifetimes))
            trace(plan, since: began, took: time.uptime() - uptime)
        } catch {
            trace(plan, since: began, took: time.uptime() - uptime, error: "\(error)")
            for taken in plan.groups.flatMap(\.directives).compactMap(\.taken) {
                model.placement.remove(allocation: taken.allocation.id)
            }
            logger.failure("plan not committed", error, Self.metadata(of: plan))
            throw error
        }
        heads[plan.engine] = plan.id
        count(plan, outcome)
        let refused = Dictionary(
            outcome.refusals.map { ($0.group, $0) }, uniquingKeysWith: { first, _ in first })
        var stale: Set<ID<Document>> = []
        for (index, group) in plan.groups.enumerated() {
            for directive in group.directives {
                if let refusal = refused[index] {
                    if let taken = directive.taken {
                        model.placement.remove(allocation: taken.allocation.id)
                    }
                    if let host = refusal.host { stale.insert(host) }
                    if let allocation = allocation(after: directive) {
                        refuse(allocation.workload.uid, refusal.reason, now: plan.createdAt)
                    }
                } else {
                    if let allocation = allocation(after: directive) { model.put(allocation: allocation) }
                    if case .migrate(let migrate) = directive { model.begin(migrate) }
                }
            }
        }
        if let trial { takeBackLifetimes(of: plan, refused: Set(refused.keys), to: trial) }
        logger.debug(
            "plan committed",
            metadata: Self.metadata(of: plan).merging(["refused": "\(refused.count)"]) { $1 })
        // What refused is out of date here: read it before the next plan rather than wait for the feed.
        if !stale.isEmpty {
            for host in try await store.hosts(.ids(stale.sorted())) { model.put(host: host) }
        }
    }

    private static func metadata(of plan: Plan) -> Logger.Metadata {
        [
            "cell": "\(plan.cell)", "plan": "\(plan.id)", "engine": "\(plan.engine.rawValue)",
            "groups": "\(plan.groups.count)",
        ]
    }

    func allocation(after directive: Directive) -> Allocation? {
        switch directive {
        case .allocate(let directive): return directive.allocation
        // The source writes on, so that its workload's status stays.
        case .migrate: return nil
        case .release(let directive):
            guard var allocation = model.allocations[directive.allocation] else { return nil }
            allocation.state = .releasing
            return allocation
        }
    }
}
