/// Guaranteed jobs in the order of submission within their quota, best-effort ones on what is left, and gone
/// when it is needed (AntMan, OSDI 2020, on whole GPUs).
public struct AntManPolicy: TrainingPolicy, Hashable {
    public init() {}

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        let queue = work.bySubmission(work.pending)
        for index in queue where work.jobs[index].job.isGuaranteed { admit(index, &work) }
        for index in queue where !work.jobs[index].job.isGuaranteed {
            fill(index, &work)
        }
        return work.decision
    }

    private func admit(_ index: Int, _ work: inout RoundWork) {
        let job = work.jobs[index].job
        let quota = work.quota.room(job.tenant)
        guard job.submitted.gpus <= quota else {
            work.waits.append(
                WaitReason(
                    job: job.id, token: .waitingForQuota, shortfallGPUs: job.submitted.gpus - quota,
                    needs: job.submitted.placement))
            return
        }
        if let grant = work.room.place(job.submitted) {
            work.assign(index, grant, .admitted)
            return
        }
        // The youngest go first: they lose the least.
        let victims = work.movable.filter { !work.jobs[$0].job.isGuaranteed && work.grants[$0] != nil }
            .sorted {
                work.jobs[$0].attained != work.jobs[$1].attained
                    ? work.jobs[$0].attained < work.jobs[$1].attained : $0 < $1
            }
        var trial = work.room
        for (count, victim) in victims.enumerated() {
            if let held = work.grants[victim] { trial.give(held) }
            guard trial.place(job.submitted) != nil else { continue }
            for victim in victims[...count] { work.assign(victim, nil, .evicted, for: index) }
            if let grant = work.room.place(job.submitted) { work.assign(index, grant, .admitted) }
            return
        }
        work.waits.append(work.reason(job))
    }

    /// Of its submitted strategy the shape that is nearest to what was asked for, inside a node where it
    /// asked for no more.
    private func fill(_ index: Int, _ work: inout RoundWork) {
        let job = work.jobs[index].job
        let smaller = job.options.filter { $0.nodes == 1 && $0.gpus < job.submitted.gpus }
            .sorted { $0.gpus > $1.gpus }
        if let grant = work.room.place(firstOf: [job.submitted] + smaller) {
            work.assign(index, grant, .backfilled)
        } else {
            work.waits.append(work.reason(job))
        }
    }
}
