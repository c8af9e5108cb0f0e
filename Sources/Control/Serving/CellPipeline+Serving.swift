internal import Fleet
internal import Logging
internal import ServingPlanning
internal import Store

/// Serving deployments: plans are searched beside the pipeline and judged again when they are taken over;
/// what the plan says and the ledger does not hold is brought together here.
extension CellPipeline {
    /// One look at every deployment; true when something was written.
    func serve() async throws -> Bool {
        var worked = try takeOver()
        let now = time.now()
        try await observe(now)
        let evictions = try await evictions(now)
        var releases: [ReleaseDirective] = []
        var groups: [DirectiveGroup] = []
        for uid in model.deployments where groups.count + releases.count < limits.groupsPerPlan {
            model.edit(deployment: uid) { $0.epoch = max($0.epoch, epoch) }
            guard let record = model.deployment(uid), record.metadata.deletionTimestamp == nil,
                !model.isLost(uid)
            else { continue }
            let parts = model.parts(of: uid)
            try look(at: record, parts, now)
            guard let plan = record.plan else { continue }
            let work = ServingWork(plan, parts: parts)
            renewOutdated(work, of: record, parts)
            releases += leaving(work, plan, of: uid, parts, evictions, now)
            for group in work.missing {
                if let made = start(group, of: record, now) { groups.append(made) }
            }
        }
        worked = try await release(releases, engine: .serving, policy: Self.policy) || worked
        guard !groups.isEmpty else { return worked }
        try await commit(
            Plan(
                id: ID(ids.next()), cell: cell, engine: .serving, parent: heads[.serving] ?? nil,
                inputsHash: "", seed: 0, groups: groups,
                report: PlanReport(
                    policy: Self.policy, hosts: model.hosts.count, placed: groups.count, unplaced: []),
                createdAt: now))
        return true
    }

    private static let policy = "thunderserve"

    // MARK: Searching

    /// Asks for a plan where there is none for the document as it is, and for other phases where replicas
    /// are missing.
    private func look(at record: ServingDeploymentRecord, _ parts: [PartView], _ now: Timestamp) throws {
        guard !serving.isBusy(record.uid) else { return }
        guard let plan = record.plan, plan.generation == record.metadata.generation else {
            return try ask(.full, record, now)
        }
        let work = ServingWork(plan, parts: parts)
        let live = work.live.subtracting(record.away(work.live).intersection(record.evicted))
        if live.count < plan.groups.count, !live.isEmpty, record.detour?.live != live {
            model.edit(deployment: record.uid) { $0.detour = .init(live: live) }
            return try ask(.standing(plan.groups.filter { live.contains($0.name) }), record, now)
        }
        if live.count == plan.groups.count, record.detour != nil {
            model.edit(deployment: record.uid) { $0.detour = nil }
            model.dirty.insert(record.uid)
        }
        // What cannot come back where it was is planned anew.
        if work.missing.contains(where: { !canStand($0, of: record.uid) })
            || plan.groups.contains(where: { record.evicted.contains($0.name) })
        {
            return try ask(.full, record, now)
        }
        if live.count == plan.groups.count { try follow(record, plan, now) }
    }

    func ask(
        _ subject: ServingQuestion.Subject, _ record: ServingDeploymentRecord, _ now: Timestamp,
        demand: ServingDemand? = nil
    ) throws {
        if subject == .full, let last = record.fruitless, last.generation == record.metadata.generation,
            last.version == model.capacityVersion || now.since(last.at) < .seconds(1),
            now.since(last.at) < ServingDeploymentRecord.retryAfter
        {
            return
        }
        let catalogue = try serving.catalogue ?? ServingCatalogue.seed()
        serving.catalogue = catalogue
        serving.asked.append(
            ServingQuestion(
                uid: record.uid, generation: record.metadata.generation, spec: record.spec,
                field: ServingField(of: record.spec, uid: record.uid, in: model, catalogue: catalogue),
                demand: demand
                    ?? (record.plan?.generation == record.metadata.generation ? record.plan?.demand : nil),
                subject: subject, seed: UInt64(record.metadata.generation)))
    }

    /// Questions that are to be answered beside the pipeline, as many as may be at once.
    func questions() -> [ServingQuestion] {
        let room = max(0, ServingKeeping.atOnce - serving.running.count)
        let next = Array(serving.asked.prefix(room))
        serving.asked.removeFirst(next.count)
        serving.running.formUnion(next.map(\.uid))
        return next
    }

    /// Answers a question; the next cycle takes the answer over.
    func answer(_ question: ServingQuestion) async {
        guard let catalogue = serving.catalogue else { return }
        let start = time.now()
        let time = time
        let outcome = await Self.answered(question, catalogue) { time.now().since(start) }
        serving.running.remove(question.uid)
        serving.answers.append(ServingAnswer(question: question, outcome: outcome))
    }

    @concurrent private static func answered(
        _ question: ServingQuestion, _ catalogue: ServingCatalogue,
        uptime: @escaping ServingPlanner.Uptime
    ) async -> Result<ServingPlan, ServingError> {
        do throws(ServingError) {
            return .success(try question.answer(catalogue: catalogue, uptime: uptime))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Taking over

    private func takeOver() throws -> Bool {
        let answers = serving.answers
        serving.answers = []
        for answer in answers {
            let question = answer.question
            // Of a document that changed meanwhile it is asked again.
            guard let record = model.deployment(question.uid),
                record.metadata.generation == question.generation
            else { continue }
            switch (question.subject, answer.outcome) {
            case (.standing(let groups), .success(let plan)):
                let live = Set(groups.map(\.name))
                guard record.detour?.live == live else { continue }
                model.edit(deployment: question.uid) {
                    $0.detour = .init(live: live, routing: ServingField.routing(of: plan))
                }
            case (.shifted(let groups), .success(let plan)): shift(to: plan, groups, question, record)
            case (.standing, .failure(let error)), (.shifted, .failure(let error)):
                logger.warning(
                    "no other phases for a deployment's replicas",
                    metadata: ["name": "\(record.metadata.name)", "error": "\(error)"])
            case (.full, .success(let plan)): adopt(plan, question, record)
            case (.full, .failure(let error)): giveUp(record, "\(error)")
            }
            model.dirty.insert(question.uid)
        }
        return !answers.isEmpty
    }

    private func giveUp(_ record: ServingDeploymentRecord, _ message: String?) {
        let version = model.capacityVersion
        let now = time.now()
        model.edit(deployment: record.uid) {
            $0.fruitless = .init(
                generation: record.metadata.generation, version: version, at: now, message: message)
        }
    }

    private func adopt(_ plan: ServingPlan, _ question: ServingQuestion, _ record: ServingDeploymentRecord) {
        let parts = model.parts(of: record.uid)
        let standing = (record.plan?.groups ?? []).filter {
            canStand($0, of: record.uid)
                // Another command reaches it in its turn; another model cannot stand beside the first.
                && (isCurrent($0, of: record, parts) || record.status.routes?.model == record.spec.model)
        }
        var summary = question.field.summary(
            of: plan, generation: question.generation, standing: standing,
            taken: Set(parts.map { String($0.allocation.workload.part.prefix { $0 != "-" }) }),
            address: addresses(record))
        summary.demand = question.demand
        if let old = record.plan, old.generation == question.generation,
            !pays(summary, old, parts, record.evicted)
        {
            return giveUp(record, nil)
        }
        logger.notice(
            "serving plan",
            metadata: [
                "name": "\(record.metadata.name)", "replicas": "\(summary.groups.count)",
                "attainment": "\(summary.attainment)", "ms": "\(summary.searchMilliseconds)",
            ])
        model.edit(deployment: record.uid) { $0.adopt(summary) }
    }

    /// Whether the parts of a group run what the document says now.
    func isCurrent(
        _ group: ServingPlanSummary.Group, of record: ServingDeploymentRecord, _ parts: [PartView]
    ) -> Bool {
        let template = ServingTemplate(record.spec, group, model.addressName)
        return group.parts.enumerated().allSatisfy { rank, name in
            parts.filter { $0.allocation.workload.part == name }
                .allSatisfy { $0.allocation.task == template.task(rank: rank) }
        }
    }

    /// Whether what a plan gains in half an hour is more than what loading weights anew loses.
    ///
    /// - Parameter evicted: replicas that have to go in any case.
    private func pays(
        _ next: ServingPlanSummary, _ old: ServingPlanSummary, _ parts: [PartView], _ evicted: Set<String>
    ) -> Bool {
        let live = ServingWork(old, parts: parts).live.subtracting(evicted)
        guard !live.isEmpty else { return true }
        let kept = Set(next.groups.map(\.name)).intersection(live)
        // What runs now serves its share of what the old plan was to serve.
        let now = old.attainment * Double(live.count) / Double(max(1, old.groups.count))
        let lost = old.attainment * Double(live.count - kept.count) / Double(max(1, old.groups.count))
        return (next.attainment - now) * Self.payBackSeconds > lost * Self.reloadSeconds
    }

    private static let payBackSeconds = 1800.0
    /// Of an engine that loads some tens of gigabytes and starts.
    private static let reloadSeconds = 120.0

    // MARK: Starting

    /// Whether the hosts and devices of a group can have its parts.
    private func canStand(_ group: ServingPlanSummary.Group, of uid: ID<Document>) -> Bool {
        group.hosts.allSatisfy { name in
            guard let host = model.host(named: name), host.takesServing else { return false }
            let devices = Set(group.devices(on: name))
            let healthy = Set(host.devices.filter { $0.health == .healthy }.map(\.uuid))
            let taken = model.allocations(on: host.id).filter { $0.workload.uid != uid }
            return devices.isSubset(of: healthy) && taken.allSatisfy { devices.isDisjoint(with: $0.devices) }
        }
    }

    /// The parts of a group, which come together or not at all; nil while it is not their time.
    private func start(
        _ group: ServingPlanSummary.Group, of record: ServingDeploymentRecord, _ now: Timestamp
    ) -> DirectiveGroup? {
        if let failure = record.failures[group.name], now < failure.notBefore { return nil }
        guard canStand(group, of: record.uid) else { return nil }
        let share = record.spec.resourcesPerDevice ?? ServingLimit.usualShare
        var directives: [Directive] = []
        for (rank, name) in group.hosts.enumerated() {
            guard let host = model.host(named: name) else { return nil }
            let width = group.width(on: name)
            let devices = group.devices(on: name)
            // Devices that its own former part still holds are not free yet.
            guard Set(host.takenDevices).isDisjoint(with: devices) else { return nil }
            directives.append(
                .allocate(
                    AllocateDirective(
                        allocation: Allocation(
                            id: ID(ids.next()), workload: record.reference(part: group.part(rank)),
                            cell: cell,
                            host: host.id, class: .guaranteed,
                            resources: Resources(
                                milliCPU: share.milliCPU * width, memoryMiB: share.memoryMiB * width),
                            devices: devices, onPartition: .keep, createdAt: now,
                            task: ServingTemplate(record.spec, group, model.addressName).task(rank: rank)),
                        workloadGeneration: record.metadata.generation, hostGeneration: host.generation,
                        message: "\(group.name) on \(group.hosts.joined(separator: ", "))")))
        }
        return DirectiveGroup(directives)
    }

    /// Addresses of new groups: ports that no other replica of the cell has on the host.
    private func addresses(_ record: ServingDeploymentRecord) -> (String) -> String {
        var used = Set(model.deployments.flatMap { model.deployment($0)?.plan?.groups.map(\.address) ?? [] })
        let first = record.spec.port ?? ServingLimit.port
        let names = model.addressName
        return { host in
            let name = names(host)
            let address = (first...65_535).lazy.map { "\(name):\($0)" }.first { !used.contains($0) }
            used.insert(address ?? "")
            return address ?? "\(name):\(first)"
        }
    }
}
