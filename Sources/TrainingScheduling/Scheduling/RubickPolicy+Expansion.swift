extension RubickPolicy {
    /// Free room goes to running jobs, to the one that saves the most time per GPU first.
    func expand(_ work: inout RoundWork, _ reservations: Reservations) {
        // Each job changes once in a round, so there are no more turns than jobs.
        while let best = bestExpansion(work, reservations) {
            work.assign(best.index, best.grant, .expanded)
        }
    }

    private func bestExpansion(
        _ work: RoundWork, _ reservations: Reservations
    ) -> (index: Int, grant: Grant)? {
        var best: (gain: Double, index: Int, grant: Grant)?
        for index in work.movable where !work.isChanged(index) {
            let state = work.jobs[index]
            guard let held = state.grant, state.passesGate(settings.gate, restart: settings.restart) else {
                continue
            }
            let quota = state.job.isGuaranteed ? work.quota.room(state.job.tenant) : .max
            var room = work.room
            var isGiven = false
            for point in state.job.options where point.secondsPerStep < held.point.secondsPerStep {
                let seconds = state.seconds(point, restart: settings.restart)
                let left = state.remaining * held.point.secondsPerStep
                guard seconds < (1 - settings.leastGain) * left else { break }
                guard point.gpus - held.gpus <= quota else { continue }
                let gain = (left - seconds) / Double(max(1, point.gpus - held.gpus))
                guard gain > best?.gain ?? 0 else { continue }
                if !isGiven {
                    room.give(held)
                    isGiven = true
                }
                let allowed = reservations.allowed(until: work.state.now + seconds)
                if let grant = room.place(point, allowed) { best = (gain, index, grant) }
            }
        }
        return best.map { ($0.index, $0.grant) }
    }
}
