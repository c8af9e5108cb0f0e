internal import Fleet
internal import Foundation
internal import TrainingScheduling

/// Rounds of a cell that nobody carries out.
struct TrainingTrial {
    let model: CellModel
    let keeping: TrainingKeeping
    let quotas: [String: Int]
    let now: Timestamp

    /// Rounds that a forecast plays at most: starts and ends of hundreds of jobs.
    private static let rounds = 512
    /// Hosts that are tried as the change that starts a job.
    private static let mostHosts = 8

    private var jobs: [TrainingJobRecord] {
        model.parted.values.compactMap { $0 as? TrainingJobRecord }
            .filter { $0.metadata.deletionTimestamp == nil && !$0.status.state.isOver }
            .sorted { ($0.metadata.createdAt, $0.uid) < ($1.metadata.createdAt, $1.uid) }
    }

    private func rules(_ pool: String) -> TrainingRules { model.pools[pool]?.training ?? TrainingRules() }

    /// A field with its jobs, as a round sees it.
    private func snapshot(
        _ field: TrainingField, _ jobs: [TrainingJobRecord], quotas: [String: Int]
    ) -> TrainingSnapshot {
        var speeds = keeping.speeds
        let (tenants, places) = keeping.tenants(
            Set(jobs.map { $0.metadata.project ?? "" }), quotas: quotas)
        return TrainingSnapshot(
            field, jobs: jobs, in: model, speeds: &speeds, tenants: tenants, tenantOf: places,
            rules: rules(field.key.pool), now: now)
    }

    private func forecast(_ state: RoundState, _ pool: String) -> TrainingForecast {
        let rules = rules(pool)
        return TrainingForecast(state, policy: rules.scheduler, restart: rules.restart, limit: Self.rounds)
    }

    // MARK: One job

    func answer(for uid: ID<Document>) -> TrainingExplainer.Answer? {
        let fields = TrainingField.all(in: model)
        guard let job = jobs.first(where: { $0.uid == uid }),
            let field = TrainingField.of(job.spec, among: fields)
        else { return nil }
        let peers = jobs.filter { TrainingField.of($0.spec, among: fields)?.key == field.key }
        let snapshot = snapshot(field, peers, quotas: quotas)
        guard let place = snapshot.jobs.firstIndex(where: { $0.uid == uid }) else { return nil }
        let outcome = forecast(snapshot.state, field.key.pool).outcomes[place]
        return TrainingExplainer.Answer(
            queuePosition: outcome.position, startsAt: outcome.startsAt.map { Timestamp(seconds: $0) },
            change: outcome.wait.flatMap { change(for: job, $0, field, peers) })
    }

    /// The least change that a round confirms.
    private func change(
        for job: TrainingJobRecord, _ wait: WaitReason, _ field: TrainingField, _ peers: [TrainingJobRecord]
    ) -> TrainingChange? {
        let policy = rules(field.key.pool).scheduler
        func starts(_ snapshot: TrainingSnapshot) -> Bool {
            guard let place = snapshot.jobs.firstIndex(where: { $0.uid == job.uid }) else { return false }
            let id = snapshot.state.jobs[place].job.id
            return policy.round(snapshot.state).changes.contains { $0.job == id && $0.to != nil }
        }
        if wait.token == .waitingForQuota || wait.token == .exceedsMaxQuota {
            let project = job.metadata.project ?? ""
            let more = max(1, wait.shortfallGPUs)
            guard let limit = quotas[project] else { return nil }
            let raised = quotas.merging([project: limit + more]) { $1 }
            guard starts(snapshot(field, peers, quotas: raised)) else { return nil }
            return TrainingChange(
                kind: .quota, count: more,
                message: "\(more) more devices in the quota of project \(project) would start it")
        }
        for count in 1...Self.mostHosts {
            let wider = field.with(count)
            var snapshot = snapshot(wider, peers, quotas: quotas)
            snapshot.add(hosts: count)
            guard starts(snapshot) else { continue }
            let each = wider.largest.gpus
            return TrainingChange(
                kind: .hosts, count: count, devicesPerHost: each,
                message: "\(count) more host\(count == 1 ? "" : "s") of \(each) devices would start it")
        }
        return nil
    }

    // MARK: A pool

    func preview(ofPool pool: String, with more: TrainingAddition) -> TrainingPreview {
        let fields = TrainingField.all(in: model)
        let jobs = fields.values.filter { $0.key.pool == pool }.sorted { $0.key < $1.key }.flatMap { field in
            rows(field, more, fields)
        }
        return TrainingPreview(
            pool: pool, policy: (rules(pool).policy ?? .rubick).rawValue, jobs: jobs)
    }

    private func rows(
        _ field: TrainingField, _ more: TrainingAddition, _ fields: [TrainingField.Key: TrainingField]
    ) -> [TrainingPreview.Job] {
        let isMeant = { (spec: TrainingJobSpec) in TrainingField.of(spec, among: fields)?.key == field.key }
        let peers = jobs.filter { isMeant($0.spec) }
        let added = more.records(pool: field.key.pool, now: now).filter { isMeant($0.spec) }
        let present = snapshot(field, peers, quotas: quotas)
        let now = forecast(present.state, field.key.pool)
        let isWider = more.hosts > 0 && (more.deviceModel == nil || more.deviceModel == field.key.device)
        var changed = snapshot(isWider ? field.with(more.hosts) : field, peers + added, quotas: quotas)
        if isWider { changed.add(hosts: more.hosts) }
        let then = forecast(changed.state, field.key.pool)
        let before = Dictionary(uniqueKeysWithValues: zip(present.jobs.map(\.uid), now.outcomes))
        let after = Dictionary(uniqueKeysWithValues: zip(changed.jobs.map(\.uid), then.outcomes))
        return (peers + added).map { job in
            TrainingPreview.Job(
                project: job.metadata.project, name: job.metadata.name,
                isNew: added.contains { $0.uid == job.uid } ? true : nil, state: job.status.state,
                now: before[job.uid].map(TrainingPreview.Outcome.init),
                then: after[job.uid].map(TrainingPreview.Outcome.init))
        }
    }
}

extension TrainingPreview.Outcome {
    fileprivate init(_ outcome: TrainingForecast.Outcome) {
        self.init(
            startsAt: outcome.startsAt.map { Timestamp(seconds: $0) },
            endsAt: outcome.endsAt.map { Timestamp(seconds: $0) },
            shape: outcome.grant.map {
                TrainingShape(
                    placement: $0.point.placement, plan: $0.point.plan,
                    secondsPerStep: $0.point.secondsPerStep)
            },
            reason: outcome.wait.flatMap { Reason(rawValue: $0.token.rawValue) },
            position: outcome.position)
    }
}

extension TrainingAddition {
    /// The added jobs as if they had come just now.
    fileprivate func records(pool: String, now: Timestamp) -> [TrainingJobRecord] {
        let ids = TrialIDs()
        return (jobs ?? []).map { added in
            var spec = added.spec
            spec.pool = spec.pool ?? pool
            return TrainingJobRecord(
                metadata: Metadata(
                    name: added.name, uid: ID(ids.next()), project: added.project, createdAt: now),
                spec: spec)
        }
    }
}
