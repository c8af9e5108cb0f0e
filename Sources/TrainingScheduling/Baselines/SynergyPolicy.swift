/// Queue order chooses who runs, by GPUs alone; host threads are then tuned down to the proportional share
/// (Synergy, OSDI 2022).
public struct SynergyPolicy: TrainingPolicy, Hashable {
    public init() {}

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        var free = work.room.freeGPUs
        var runnable: [Int] = []
        for index in work.bySubmission(work.pending) {
            let gpus = work.jobs[index].job.submitted.gpus
            // A prefix of the order, and not who happens to fit.
            guard gpus <= free else { break }
            free -= gpus
            runnable.append(index)
        }
        runnable.sort {
            let (lhs, rhs) = (work.jobs[$0].job.submitted, work.jobs[$1].job.submitted)
            return lhs.gpus != rhs.gpus ? lhs.gpus > rhs.gpus : $0 < $1
        }
        for index in runnable {
            let job = work.jobs[index].job
            let shapes = [job.submitted, proportional(job.submitted, work.room.nodes)]
            if let grant = work.room.place(firstOf: shapes) {
                work.assign(index, grant, .admitted)
            }
        }
        for index in work.pending { work.waits.append(work.reason(work.jobs[index].job)) }
        return work.decision
    }

    /// With no more threads and memory than its GPUs are of a node.
    private func proportional(_ point: SpeedPoint, _ nodes: [TrainingNode]) -> SpeedPoint {
        var point = point
        let gpus = nodes.map(\.gpus).max() ?? 1
        point.threadsPerGPU = min(point.threadsPerGPU, (nodes.map(\.threads).min() ?? 0) / max(gpus, 1))
        point.memoryPerGPU = min(point.memoryPerGPU, (nodes.map(\.memoryMiB).min() ?? 0) / max(gpus, 1))
        return point
    }
}
