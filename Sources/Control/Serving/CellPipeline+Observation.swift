internal import Fleet
internal import Logging
internal import ServingPlanning
internal import Store

/// Plans follow what routers see: phases and routes at once, groups where that pays.
extension CellPipeline {
    /// Between two reads of reports.
    private static let readsEvery = Duration.seconds(5)
    /// Between two changes of phases, and between two searches from nothing, for what is observed.
    private static let lightEvery = Duration.seconds(60)
    private static let fullEvery = Duration.seconds(1800)
    /// The same while requests of a replica that is to stop are waited for.
    private static let readsWhileDraining = Duration.seconds(1)

    /// Reads what routers saw.
    func observe(_ now: Timestamp) async throws {
        let deployments = model.deployments
        let isDraining = deployments.contains { model.deployment($0)?.drains.isEmpty == false }
        let pause = isDraining ? Self.readsWhileDraining : Self.readsEvery
        if let last = serving.readAt, now.since(last) < pause { return }
        serving.readAt = now
        guard !deployments.isEmpty else { return }
        let reports = try await store.servingReports(of: deployments)
        for uid in deployments {
            guard var record = model.deployment(uid) else { continue }
            let isNews = record.take(reports[uid] ?? [], now: now)
            model.parted[uid] = record
            if isNews { model.dirty.insert(uid) }
        }
    }

    /// Asks for other phases where requests come otherwise than planned for, and for another plan where
    /// phases alone are not enough.
    func follow(_ record: ServingDeploymentRecord, _ plan: ServingPlanSummary, _ now: Timestamp) throws {
        func isDue(_ last: Timestamp?, _ pause: Duration) -> Bool {
            last.map { now.since($0) >= pause } ?? true
        }
        if isDue(record.asked.light, Self.lightEvery),
            let shift = record.watch.shift(from: record.demand, target: record.target)
        {
            logger.notice(
                "requests come otherwise than planned for",
                metadata: [
                    "name": "\(record.metadata.name)", "cause": "\(shift.cause.rawValue)",
                    "demand": "\(shift.demand.words)",
                ])
            model.edit(deployment: record.uid) { $0.asked.light = now }
            return try ask(.shifted(plan.groups), record, now, demand: shift.demand)
        }
        guard let demand = plan.demand, plan.attainment < record.target,
            isDue(record.asked.full, Self.fullEvery)
        else { return }
        model.edit(deployment: record.uid) {
            $0.asked.full = now
            $0.fruitless = nil
        }
        if let record = model.deployment(record.uid) { try ask(.full, record, now, demand: demand) }
    }

    /// Takes phases and routes for what is observed. No process is started or stopped for them.
    func shift(
        to plan: ServingPlan, _ groups: [ServingPlanSummary.Group], _ question: ServingQuestion,
        _ record: ServingDeploymentRecord
    ) {
        guard let old = record.plan, old.groups == groups else { return }
        var next = old.following(ServingField.routing(of: plan))
        next.attainment = plan.predicted.attainment
        next.goodput = plan.predicted.goodput
        next.binding = plan.explanation.binding.rawValue
        next.searchMilliseconds = Int(plan.searchMs)
        next.demand = question.demand
        logger.notice(
            "serving phases",
            metadata: [
                "name": "\(record.metadata.name)", "attainment": "\(next.attainment)",
                "flipped": "\(zip(old.groups, next.groups).count { $0.role != $1.role })",
            ])
        model.edit(deployment: record.uid) { $0.adopt(next) }
    }

    // MARK: Other commands

    /// Lets go of a replica that runs something else than the document says now: one at a time, while all
    /// others serve. A command that fails so costs one replica.
    func renewOutdated(_ work: ServingWork, of record: ServingDeploymentRecord, _ parts: [PartView]) {
        guard let plan = record.plan, plan.generation == record.metadata.generation else { return }
        if let name = record.renewing {
            guard let group = plan.groups.first(where: { $0.name == name }),
                !isCurrent(group, of: record, parts)
            else { return renew(nil, of: record) }
            return
        }
        guard work.live.count == plan.groups.count, record.drains.isEmpty,
            let next = plan.groups.first(where: { !isCurrent($0, of: record, parts) })
        else { return }
        renew(next.name, of: record)
    }

    private func renew(_ name: String?, of record: ServingDeploymentRecord) {
        model.edit(deployment: record.uid) { $0.renewing = name }
        model.dirty.insert(record.uid)
    }
}
