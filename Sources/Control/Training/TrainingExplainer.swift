public import Fleet
public import Store
internal import TrainingScheduling

/// Answers what becomes of training jobs, with the scheduler that decides about them: played forward from the
/// cell as it is, or as it would be with more hosts and jobs.
public struct TrainingExplainer: Sendable {
    /// What is expected of one job.
    public struct Answer: Sendable {
        /// Place in the order of starts, from 1; nil when it does not wait.
        public var queuePosition: Int?
        /// Nil when it does not wait, or that is too far off.
        public var startsAt: Timestamp?
        /// The least that would start it now; nil when it does not wait, or nothing small does.
        public var change: TrainingChange?
    }

    private let store: any Store
    private let supervisor: CellSupervisor?

    /// - Parameter supervisor: asked first when the cell is planned in this process.
    public init(store: any Store, supervisor: CellSupervisor?) {
        self.store = store
        self.supervisor = supervisor
    }

    /// - Returns: nil for a job that does not wait, or has no cell yet.
    public func answer(for resource: Resource) async throws -> Answer? {
        let job = try TrainingJobRecord(resource)
        guard let cell = job.spec.cell ?? job.status.cell, job.status.state == .pending else { return nil }
        let trial = try await trial(of: cell)
        return trial.answer(for: job.uid)
    }

    /// What becomes of the jobs of a pool now, and with more hosts and jobs.
    ///
    /// - Returns: nil for a pool that is not there.
    public func preview(ofPool name: String, with more: TrainingAddition) async throws -> TrainingPreview? {
        guard let resource = try await store.document(.pool, project: nil, name: name) else { return nil }
        let pool = try DocumentJSON.decode(PoolSpec.self, from: resource.spec)
        return try await trial(of: pool.cell).preview(ofPool: name, with: more)
    }

    private func trial(of cell: String) async throws -> TrainingTrial {
        let now = try await store.now()
        let quotas = try await store.quotas().filter { $0.resource == .devices }
        var limits: [String: Int] = [:]
        for quota in quotas { if let limit = quota.limit { limits[quota.project] = limit } }
        if let pipeline = supervisor?.pipeline(of: cell) {
            let (model, keeping) = await pipeline.trainingCopy()
            return TrainingTrial(model: model, keeping: keeping, quotas: limits, now: now)
        }
        var model = try await PlacementExplainer(store: store, supervisor: nil).model(of: cell)
        for resource in try await store.all(.trainingJob, cell: cell) { try model.put(workload: resource) }
        var keeping = TrainingKeeping()
        keeping.restore(try await store.trainingMemory(cell: cell), now: now)
        keeping.speeds.calibrate()
        return TrainingTrial(model: model, keeping: keeping, quotas: limits, now: now)
    }
}

extension CellPipeline {
    func trainingCopy() -> (model: CellModel, keeping: TrainingKeeping) { (model, training) }
}
