internal import Fleet
internal import Foundation
internal import LifetimeTraining
internal import Logging
internal import Store
internal import Synchronization
internal import VMPlacement

/// One training at a time in a process, whatever cells it plans: two would share the same cores.
final class TrainingTurn: Sendable {
    private let isTaken = Mutex(false)

    init() {}

    /// Whether nobody has the turn; whoever gets it gives it back.
    func take() -> Bool {
        isTaken.withLock { taken in
            defer { taken = true }
            return !taken
        }
    }

    func giveBack() { isTaken.withLock { $0 = false } }
}

/// Makes models of pools' own VMs, as often as their policies say, beside the pipeline of the cell.
struct ModelRetrainer {
    let lease: CellLease
    let store: any Store
    let ids: any IDSource
    let time: Timekeeper
    let limits: CellLimits
    let turn: TrainingTurn
    let logger: Logger

    private static let source = "models"

    /// Runs until the lease is lost or the task is cancelled.
    func run() async throws {
        var tried: [String: Timestamp] = [:]
        var read = ReadPools()
        while !Task.isCancelled {
            do {
                try await time.sleep(limits.retrainLookEvery)
                try await look(&tried, &read)
            } catch StoreError.leaseLost(let cell) {
                throw StoreError.leaseLost(cell: cell)
            } catch is CancellationError {
                return
            } catch {
                logger.failure("models not retrained", error, ["cell": "\(lease.cell)"])
            }
        }
    }

    /// Trains for the first pool that is due.
    ///
    /// - Parameter tried: when pools were looked at whose VMs made no model, on the fleet clock.
    private func look(_ tried: inout [String: Timestamp], _ read: inout ReadPools) async throws {
        let asked = try await pools(&read)
        guard !asked.isEmpty, turn.take() else { return }
        defer { turn.giveBack() }
        let now = try await fleetNow()
        let models = try await ModelKeeper(store: store).models().compactMap { ModelRecord($0) }
        for pool in asked {
            let every = Duration.seconds(pool.rules.everyHours * 3600)
            let last = Self.made(models, for: pool.name, cell: lease.cell).first?.spec.origin?.at
            if let last, now.since(last) < every { continue }
            // With too few VMs it is looked again sooner: they come by and by.
            if let last = tried[pool.name], now.since(last) < every / 10 { continue }
            let isFirst = tried.updateValue(now, forKey: pool.name) == nil
            if try await train(pool, models, now: now, saysWhy: isFirst) { tried[pool.name] = nil }
            return
        }
    }

    private struct AskingPool {
        var uid: ID<Document>
        var name: String
        var rules: RetrainingRules
    }

    /// Policies of placement that pools name, by the pools' versions: hardly ever anything is new.
    private struct ReadPools {
        private var policies: [ID<Document>: (version: String, name: String?)] = [:]

        mutating func placementPolicy(of pool: Resource) throws -> String? {
            let (uid, version) = (pool.metadata.uid, pool.metadata.resourceVersion)
            if let read = policies[uid], read.version == version { return read.name }
            let spec = try JSONDecoder().decode(PoolSpec.self, from: Data(pool.spec.utf8))
            policies[uid] = (version, spec.policies?.placement)
            return spec.policies?.placement
        }
    }

    /// Pools of the cell whose policy asks for models, by name.
    private func pools(_ read: inout ReadPools) async throws -> [AskingPool] {
        var found: [AskingPool] = []
        for pool in try await store.list(ListQuery(kind: .pool, cell: lease.cell, limit: 1000)).documents {
            guard let name = try read.placementPolicy(of: pool),
                let policy = try await store.document(.policy, project: nil, name: name),
                let rules = PolicyRecord(policy)?.spec.placement?.retraining
            else { continue }
            found.append(AskingPool(uid: pool.metadata.uid, name: pool.metadata.name, rules: rules))
        }
        return found
    }

    private func fleetNow() async throws -> Timestamp {
        FleetClock(try await store.clusterState()).time(at: try await store.now())
    }

    /// Models that were made of a pool's VMs, the youngest first.
    private static func made(_ models: [ModelRecord], for pool: String, cell: String) -> [ModelRecord] {
        func at(_ record: ModelRecord) -> Timestamp {
            record.spec.origin?.at ?? Timestamp(microseconds: 0)
        }
        return models.filter { $0.spec.origin?.pool == pool && $0.spec.origin?.cell == cell }
            .sorted { (at($0), $0.uid) > (at($1), $1.uid) }
    }
}

// MARK: Training

extension ModelRetrainer {
    /// VMs before and after the instant from which on models are judged.
    private struct Lesson {
        var all: [TrainingVM]
        var tailFrom: Double

        /// Share of the VMs, the last to start, that models are judged by.
        static let tailShare = 0.2

        init(_ vms: [TrainingVM]) {
            all = vms.sorted { $0.startedAt < $1.startedAt }
            let index = Int(Double(all.count) * (1 - Self.tailShare))
            tailFrom = all.indices.contains(index) ? all[index].startedAt : 0
        }

        var tail: [TrainingVM] { all.filter { $0.startedAt >= tailFrom } }

        /// What was known then.
        var earlier: [LifetimeObservation] { all.compactMap { $0.seen(at: tailFrom) }.map(\.observation) }
    }

    /// - Returns: whether a model came of it.
    private func train(
        _ pool: AskingPool, _ models: [ModelRecord], now: Timestamp, saysWhy: Bool
    ) async throws -> Bool {
        let history = try await store.vmHistory(
            VMHistoryQuery(
                cell: lease.cell, pool: pool.name, order: .newestFirst, limit: pool.rules.vms ?? 20_000))
        let lesson = Lesson(history.map { TrainingVM($0, now: now) })
        let file: LifetimeModelFile
        do {
            file = try await trainer(pool, lesson).train(lesson.all, until: lesson.tailFrom)
        } catch {
            if saysWhy { try await tell(pool, .tooLittleHistory, "no model is made: \(error)") }
            return false
        }
        try Task.checkCancellation()
        let name = Self.name(pool: pool.name, now: now)
        let made = try await keep(file, name: name, of: pool, now: now)
        let comparison = try await judge(file, pool, lesson)
        let figures = "\(file.training.vms) VMs, \(file.metrics.trees) trees: \(comparison.words)"
        try await store.appendEvents([
            EventDraft(
                kind: .model, project: nil, name: name, uid: made.metadata.uid, reason: .modelTrained,
                message: "made for pool \(pool.name) of \(figures)", source: Self.source)
        ])
        logger.notice(
            "model trained", metadata: ["cell": "\(lease.cell)", "pool": "\(pool.name)", "model": "\(name)"])
        try await promote(name, pool, comparison)
        try await prune(pool)
        return true
    }

    private func trainer(_ pool: AskingPool, _ lesson: Lesson) -> LifetimeTrainer {
        let labels = (pool.rules.labels ?? []).map { $0.lowercased() }
        let known = Set(lesson.earlier.flatMap { $0.features.attributes.keys })
        return LifetimeTrainer(
            settings: TrainingSettings(features: ["class", "project"] + labels.filter(known.contains)))
    }

    /// A name by the fleet clock: models of a pool sort by their age.
    private static func name(pool: String, now: Timestamp) -> String {
        let digits = now.description.filter(\.isNumber).prefix(14)
        return "\(pool.prefix(40))-\(digits)"
    }

    private func keep(
        _ file: LifetimeModelFile, name: String, of pool: AskingPool, now: Timestamp
    ) async throws -> Resource {
        let text = String(decoding: try file.data(), as: UTF8.self)
        let spec = file.spec(
            description: nil, bytes: text.utf8.count,
            origin: .init(cell: lease.cell, pool: pool.name, at: now))
        let draft = DocumentDraft(
            uid: ID(ids.next()), kind: .model, name: name, spec: try CellPipeline.encoded(spec))
        return try await store.createModel(
            draft, file: text, lease: lease,
            context: WriteContext(actor: "controller/models", verb: "train"), isTrial: false)
    }

    /// The model in force, or what is learned without one, on the same VMs.
    private func judge(
        _ file: LifetimeModelFile, _ pool: AskingPool, _ lesson: Lesson
    ) async throws -> ModelComparison {
        let cap = LifetimeSettings().cap
        var incumbent: any LifetimeModel = StratifiedModel.kaplanMeier(
            lesson.earlier, levels: LifetimeHistory.levels, shape: .steps)
        let records = try await ModelKeeper(store: store).models().compactMap { ModelRecord($0) }
        let register = ModelRegister(records)
        let inForce = ModelScope.of(pool: pool.name, cell: lease.cell).lazy
            .compactMap { register.promoted(in: $0) }.first
        if let inForce, let record = records.first(where: { $0.uid == inForce.uid }),
            case .ready(let model) = ReadModel(
                try await store.modelFile(record.uid), checksum: record.spec.checksum)
        {
            incumbent = model
        }
        return ModelComparison(
            of: LifetimePredictor(try file.model, cap: cap),
            against: LifetimePredictor(incumbent, cap: cap), on: lesson.tail)
    }

    private func promote(_ name: String, _ pool: AskingPool, _ comparison: ModelComparison) async throws {
        guard pool.rules.promotes != false else { return }
        guard comparison.isWorse == false else {
            let words = comparison.isWorse == nil ? "nobody can tell" : "it is worse"
            let message = "model \(name) is not promoted, \(words): \(comparison.words)"
            try await tell(pool, .modelNotBetter, message)
            return
        }
        _ = try await ModelKeeper(store: store).promote(
            name, in: ModelScope(pool: pool.name), force: true, because: comparison.words, lease: lease,
            context: WriteContext(actor: "controller/models", verb: "promote"))
    }

    private func tell(_ pool: AskingPool, _ reason: Reason, _ message: String) async throws {
        try await store.appendEvents([
            EventDraft(
                kind: .pool, project: nil, name: pool.name, uid: pool.uid, reason: reason, message: message,
                source: Self.source)
        ])
    }

    /// Deletes the oldest models of the pool, but none that is in force or that a rollback would return to.
    private func prune(_ pool: AskingPool) async throws {
        let records = try await ModelKeeper(store: store).models().compactMap { ModelRecord($0) }
        let needed = Set(
            records.flatMap { $0.status.promotions.filter { $0.until == nil }.compactMap(\.replaced) })
        let spare = Self.made(records, for: pool.name, cell: lease.cell).filter {
            $0.status.state != .promoted && !needed.contains($0.uid)
        }
        for record in spare.dropFirst(pool.rules.keep ?? 3) {
            do {
                _ = try await store.delete(
                    .model, project: nil, name: record.name, precondition: .none,
                    context: WriteContext(actor: "controller/models", verb: "delete"))
            } catch StoreError.notFound {
                continue
            } catch StoreError.inUse {
                continue
            }
        }
    }
}
