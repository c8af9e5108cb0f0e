/// Equal shares of time on one kind of GPU: whoever has had the least of its share runs (Gavel's max-min
/// fairness, OSDI 2020).
///
/// On one kind of GPU the linear program has a closed form: the level is raised for all until the GPUs are
/// spent, and a job that runs all the time takes no more.
public struct GavelPolicy: TrainingPolicy, Hashable {
    /// Seconds for which a job keeps its turn.
    public var turnSeconds: Double

    public init(turnSeconds: Double = 360) { self.turnSeconds = turnSeconds }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        let shares = shares(work)
        // Whoever has begun a turn keeps it.
        let keys = work.jobs.indices.map { index in
            let job = work.jobs[index]
            let age = max(state.now - job.job.submittedAt, 1)
            let isInTurn =
                job.grant != nil
                && job.heldSeconds.truncatingRemainder(dividingBy: turnSeconds) < turnSeconds - 60
            let received = job.heldSeconds / age
            return (index: index, priority: isInTurn ? .infinity : shares[index] / max(received, 1e-9))
        }
        work.rotate(
            keys.sorted { $0.priority != $1.priority ? $0.priority > $1.priority : $0.index < $1.index }
                .map(\.index))
        return work.decision
    }

    /// Share of the time of each job: `level / GPUs`, at most all of it.
    private func shares(_ work: RoundWork) -> [Double] {
        let gpus = work.jobs.map { Double(max(1, $0.job.submitted.gpus)) }
        var low = 0.0
        var high = gpus.max() ?? 1
        // Bisection to far below a GPU.
        for _ in 0..<60 {
            let level = (low + high) / 2
            let used = gpus.reduce(0) { $0 + min(level, $1) }
            if used <= Double(work.room.totalGPUs) { low = level } else { high = level }
        }
        return gpus.map { min(1, low / $0) }
    }
}
