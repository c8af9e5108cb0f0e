internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import TrainingScheduling

/// Training jobs: a round decides shapes, parts of old shapes are asked to end, and new shapes are taken once
/// the room of the old ones is confirmed free.
extension CellPipeline {
    /// True when something was committed.
    func train() async throws -> Bool {
        guard model.parted.values.contains(where: { $0 is TrainingJobRecord }) else { return false }
        let now = time.now()
        // Rounds may be far apart from each other, and cycles are not.
        guard training.seen != model.trainingVersion || training.isDue(limits, now: now) else { return false }
        if !training.isRestored {
            training.restore(try await store.trainingMemory(cell: cell), now: now)
        }
        var worked = try await followProgress(now: now)
        worked = try await endFailing(now: now) || worked
        worked = try await decide(now: now) || worked
        worked = try await fulfil(now: now) || worked
        if let memory = training.memory(now: now, atMostEvery: limits.rememberTrainingEvery) {
            try await store.keep(memory, lease: lease)
            training.kept = memory
        }
        return worked
    }

    private func jobs() -> [TrainingJobRecord] {
        model.parted.values.compactMap { $0 as? TrainingJobRecord }
            .filter { $0.metadata.deletionTimestamp == nil && !model.isLost($0.uid) }
            .sorted { ($0.metadata.createdAt, $0.uid) < ($1.metadata.createdAt, $1.uid) }
    }

    private func change(_ uid: ID<Document>, _ edit: (inout TrainingJobRecord) -> Void) {
        guard var job = model.parted[uid] as? TrainingJobRecord else { return }
        edit(&job)
        model.parted[uid] = job
        model.dirty.insert(uid)
    }

    /// What ranks told, now and then.
    private func followProgress(now: Timestamp) async throws -> Bool {
        var named = jobs().filter { !$0.named.isEmpty }
        // What ended is asked for at once: where the job goes on is in its last words.
        if let last = training.progressAt, now.since(last) < limits.progressEvery {
            named.removeAll { $0.ends.isEmpty }
        } else {
            training.progressAt = now
        }
        guard !named.isEmpty else { return false }
        let told = try await store.progress(of: named.flatMap(\.named))
        for job in named {
            let latest = job.named.compactMap { told[$0] }.max { ($0.step, $0.at) < ($1.step, $1.at) }
            guard let latest, latest != job.progress else { continue }
            measure(job, latest)
            change(job.uid) { $0.progress = latest }
        }
        return false
    }

    /// A step of the shape that it runs in.
    private func measure(_ job: TrainingJobRecord, _ told: TrainingProgress) {
        guard job.status.state == .running, let shape = job.status.shape, job.ends.isEmpty,
            let milliseconds = told.iterationMilliseconds, told.step > job.progress?.step ?? told.step
        else { return }
        let taken = model.parts(of: job.uid).reduce(0) { $0 + $1.allocation.resources.milliCPU }
        let cpus = taken / max(1, shape.placement.reduce(0, +)) / 1000
        training.speeds.note(milliseconds, of: job, as: shape, cpus: cpus)
    }

    /// Ranks cannot go on without those that ended.
    private func endFailing(now: Timestamp) async throws -> Bool {
        var groups: [[ReleaseDirective]] = []
        for job in jobs() {
            let parts = model.parts(of: job.uid)
            guard !parts.isEmpty, job.current(parts, now: now).state == .failing else { continue }
            groups.append(
                releases(of: parts, .rankFailed, "another rank of the job has ended"))
        }
        return try await commitReleases(groups)
    }

    private func releases(
        of parts: [PartView], _ reason: Reason, _ message: String
    ) -> [ReleaseDirective] {
        parts.filter { $0.allocation.state != .releasing }.map {
            ReleaseDirective(allocation: $0.allocation.id, reason: reason, message: message)
        }
    }

    private func commitReleases(_ groups: [[ReleaseDirective]]) async throws -> Bool {
        let groups = groups.filter { !$0.isEmpty }
        guard !groups.isEmpty else { return false }
        try await commit(plan(groups.map { DirectiveGroup($0.map(Directive.release)) }, placed: 0))
        return true
    }

    /// Under the names of the policies of the pools that it is about: of all that admit training where that
    /// cannot be told.
    private func plan(_ groups: [DirectiveGroup], placed: Int) -> Plan {
        let directives = groups.flatMap(\.directives)
        let hosts = directives.compactMap { directive -> ID<Document>? in
            switch directive {
            case .allocate(let directive): directive.allocation.host
            case .release(let directive): model.allocations[directive.allocation]?.host
            case .migrate: nil
            }
        }
        let pools = Set(hosts.compactMap { model.hosts[$0]?.pool })
        let policies = Set(pools.map { (model.pools[$0]?.training ?? TrainingRules()).policy ?? .rubick })
        return Plan(
            id: ID(ids.next()), cell: cell, engine: .training, parent: heads[.training] ?? nil,
            inputsHash: "", seed: 0, groups: groups,
            report: PlanReport(
                policy: policies.map(\.rawValue).sorted().joined(separator: ", "),
                hosts: model.hosts.count, placed: placed, unplaced: []),
            createdAt: time.now())
    }

    // MARK: Deciding

    private func decide(now: Timestamp) async throws -> Bool {
        let version = model.trainingVersion
        if let last = training.roundAt {
            let due = training.seen == version ? limits.trainEvery : limits.trainAtMostEvery
            guard now.since(last) >= due else { return false }
        }
        let jobs = jobs()
        learn(jobs, now: now)
        let quotas = try await quotas(of: jobs)
        let fields = TrainingField.all(in: model)
        var byField: [TrainingField.Key: [TrainingJobRecord]] = [:]
        for job in jobs {
            if let field = TrainingField.of(job.spec, among: fields) {
                byField[field.key, default: []].append(job)
            } else if model.parts(of: job.uid).isEmpty {
                let message =
                    "no pool that admits training has "
                    + (job.spec.deviceModel.map { "\($0) devices" } ?? "hosts without devices")
                leave(job, .init(reason: .noFeasiblePlan, message: message))
            }
        }
        noteUse(jobs, now: now)
        training.roundAt = now
        training.seen = version
        var groups: [[ReleaseDirective]] = []
        for (key, jobs) in byField.sorted(by: { $0.key < $1.key }) {
            guard let field = fields[key] else { continue }
            groups += round(field, jobs, quotas: quotas, now: now)
        }
        return try await commitReleases(groups)
    }

    /// Takes what ran out of memory and how long steps take into what the next shapes are chosen by.
    private func learn(_ jobs: [TrainingJobRecord], now: Timestamp) {
        training.speeds.keep(jobs: Set(jobs.map(\.uid)))
        for job in jobs {
            for shape in job.current(model.parts(of: job.uid), now: now).ruledOut ?? [] {
                training.speeds.ruleOut(shape, of: job)
            }
        }
        training.speeds.calibrate()
        for job in jobs {
            let calibration = training.speeds.calibration(of: job)
            if calibration != job.calibration { change(job.uid) { $0.calibration = calibration } }
        }
    }

    private func quotas(of jobs: [TrainingJobRecord]) async throws -> [String: Int] {
        guard jobs.contains(where: \.spec.isGuaranteed) else { return [:] }
        let rows = try await store.quotas().filter { $0.resource == .devices }
        return rows.reduce(into: [:]) { if let limit = $1.limit { $0[$1.project] = limit } }
    }

    private func noteUse(_ jobs: [TrainingJobRecord], now: Timestamp) {
        var held: [String: Int] = [:]
        for job in jobs {
            let devices = model.parts(of: job.uid).isEmpty ? 0 : job.status.shape?.placement.reduce(0, +) ?? 0
            held[job.metadata.project ?? "", default: 0] += devices
        }
        training.use(held, now: now)
    }

    private func round(
        _ field: TrainingField, _ jobs: [TrainingJobRecord], quotas: [String: Int], now: Timestamp
    ) -> [[ReleaseDirective]] {
        let rules = model.pools[field.key.pool]?.training ?? TrainingRules()
        let (tenants, places) = training.tenants(
            Set(jobs.map { $0.metadata.project ?? "" }), quotas: quotas)
        let snapshot = TrainingSnapshot(
            field, jobs: jobs, in: model, speeds: &training.speeds, tenants: tenants, tenantOf: places,
            rules: rules, now: now)
        let decision = rules.scheduler.round(snapshot.state)
        for uid in snapshot.infeasible {
            guard let job = model.parted[uid] as? TrainingJobRecord else { continue }
            leave(
                job,
                TrainingWait(
                    reason: .noFeasiblePlan,
                    message: "no plan of \(job.spec.model?.rawValue ?? "the profile") fits the submitted "
                        + "\(job.spec.devices) devices of pool \(field.key.pool)"))
        }
        for reason in decision.waits {
            leave(snapshot.jobs[reason.job], TrainingWait(reason, in: field))
        }
        return decision.changes.compactMap { apply($0, in: snapshot, now: now) }
    }

    private func leave(_ job: TrainingJobRecord, _ wait: TrainingWait) {
        guard job.wait != wait else { return }
        change(job.uid) { $0.wait = wait }
    }

    /// - Returns: what has to end first.
    private func apply(
        _ decided: ShapeChange, in snapshot: TrainingSnapshot, now: Timestamp
    ) -> [ReleaseDirective] {
        let job = snapshot.jobs[decided.job]
        let parts = model.parts(of: job.uid)
        let beneficiary = decided.beneficiary.map { " for \(snapshot.jobs[$0].metadata.name)" } ?? ""
        guard let grant = decided.to else {
            change(job.uid) { $0.promise = nil }
            let isDrained = decided.cause == .nodeLost
            return releases(
                of: parts, isDrained ? .hostDrained : .evicted,
                isDrained ? "its host is drained" : "gives its devices up\(beneficiary)")
        }
        let hosts = grant.shares.map { snapshot.field.hosts[$0.node].name }.joined(separator: ", ")
        let shape = "\(grant.point.plan) on \(hosts), \(grant.gpus) devices"
        let message = "\(decided.cause.rawValue): \(shape)"
        change(job.uid) {
            $0.promise = snapshot.promise(grant, message: message, now: now)
            $0.wait = nil
        }
        return releases(of: parts, .reconfigured, "\(decided.cause.rawValue)\(beneficiary): to \(shape)")
    }

    // MARK: Taking

    /// Commits shapes whose room is free by now.
    private func fulfil(now: Timestamp) async throws -> Bool {
        var taken = TrainingRoom(model)
        var groups: [DirectiveGroup] = []
        var placed: [ID<Document>] = []
        for job in jobs() {
            guard let promise = job.promise, !promise.isHeld, model.writers(of: job.uid).isEmpty else {
                continue
            }
            // It may have ended by itself before it was asked to.
            let current = job.current([], now: now)
            guard !current.state.isOver else {
                change(job.uid) { $0.promise = nil }
                continue
            }
            switch taken.take(promise, deviceModel: job.spec.deviceModel) {
            case .taken(let hosts, let devices):
                let launch = TrainingLaunch(
                    job: job, promise: promise, hosts: hosts, devices: devices,
                    checkpointStep: current.checkpointStep, cell: cell, now: now)
                groups.append(DirectiveGroup(launch.directives(ids: ids).map(Directive.allocate)))
                placed.append(job.uid)
            case .wait where now.since(promise.since) < limits.promiseAtMost: continue
            case .wait, .gone: change(job.uid) { $0.promise = nil }
            }
            if groups.count == limits.groupsPerPlan { break }
        }
        guard !groups.isEmpty else { return false }
        try await commit(plan(groups, placed: groups.count))
        for uid in placed where !model.writers(of: uid).isEmpty {
            change(uid) {
                $0.promise?.isHeld = true
                $0.progress = nil
                $0.refusals = 0
            }
        }
        return true
    }
}

/// Room of hosts as it is this moment, for shapes that are to be taken one after another.
private struct TrainingRoom {
    enum Outcome {
        case taken(hosts: [HostRecord], devices: [[String]])
        /// Somebody has not ended there yet.
        case wait
        /// A host is not there, or takes nothing.
        case gone
    }

    private let model: CellModel
    private var rooms: [ID<Document>: HostRoom] = [:]
    private var held: [ID<Document>: Set<String>] = [:]

    init(_ model: CellModel) { self.model = model }

    mutating func take(_ promise: TrainingPromise, deviceModel: String?) -> Outcome {
        var rooms = rooms
        var held = held
        var hosts: [HostRecord] = []
        var devices: [[String]] = []
        for share in promise.shares {
            guard let host = model.hosts[share.host], host.takesParts else { return .gone }
            var room = rooms[host.id] ?? room(of: host)
            var taken = held[host.id] ?? Set(model.allocations(on: host.id).flatMap(\.devices))
            let wanted = Resources(
                milliCPU: share.devices * promise.point.threadsPerGPU * 1000,
                memoryMiB: share.devices * promise.point.memoryPerGPU)
            guard room.refusal(of: wanted, guaranteed: true) == nil else { return .wait }
            if let deviceModel {
                let free = host.devices.filter {
                    $0.model == deviceModel && $0.health == .healthy && !taken.contains($0.uuid)
                }.map(\.uuid).sorted().prefix(share.devices)
                guard free.count == share.devices else { return .wait }
                taken.formUnion(free)
                devices.append(Array(free))
            } else {
                devices.append([])
            }
            room.add(wanted, guaranteed: true)
            rooms[host.id] = room
            held[host.id] = taken
            hosts.append(host)
        }
        self.rooms = rooms
        self.held = held
        return .taken(hosts: hosts, devices: devices)
    }

    private func room(of host: HostRecord) -> HostRoom {
        var room = HostRoom(
            total: host.room.total, reserved: host.room.reserved,
            cpuRatioPerMille: host.room.cpuRatioPerMille,
            maxUtilizationPerMille: host.room.maxUtilizationPerMille)
        for allocation in model.allocations(on: host.id) { room.add(allocation) }
        return room
    }
}

extension TrainingWait {
    init(_ wait: WaitReason, in field: TrainingField) {
        let reason = Reason(rawValue: wait.token.rawValue) ?? .waitingForCapacity
        let shape = wait.needs.map(String.init).joined(separator: "+")
        self.init(
            reason: reason, shortfallDevices: wait.shortfallGPUs, needs: wait.needs,
            startsAt: wait.startsAt.map { Timestamp(seconds: $0) }, message: reason.waits(wait, shape: shape))
    }
}

extension Reason {
    fileprivate func waits(_ wait: WaitReason, shape: String) -> String {
        let change = shape.isEmpty ? "" : "; \(shape) devices free would admit it"
        switch self {
        case .noFeasiblePlan: return "no plan of the model runs here as fast as it was submitted"
        case .exceedsMaxQuota: return "the quota of its project could never hold it"
        case .waitingForQuota: return "the quota of its project is used up by guaranteed jobs\(change)"
        case .fragmentedNeed: return "enough devices are free, but not together\(change)"
        case .gateNotReached: return "jobs that could make room were reshaped too lately\(change)"
        case .slopeTooLow: return "jobs that could make room would lose more than it gains\(change)"
        case .reserved: return "room is kept for it\(change)"
        case .heldForReservation: return "free devices are kept for a job before it\(change)"
        default: return "\(wait.shortfallGPUs) devices are missing\(change)"
        }
    }
}
