import Testing
import TrainingScheduling

/// Rounds on made-up cells.
enum RoundFixture {
    /// A model that gets faster by a factor of `1 + power` per doubling of its GPUs.
    static func curve(_ seconds: Double, power: Double = 0.9, gpus: [Int] = [1, 2, 4, 8, 16]) -> SpeedCurve {
        SpeedCurve(
            gpus.map { count in
                var speed = 1.0
                for _ in 0..<count.trailingZeroBitCount { speed *= 1 + power }
                return SpeedPoint(
                    placement: count <= 8 ? [count] : [Int](repeating: 8, count: count / 8),
                    plan: "p\(count)", secondsPerStep: seconds / speed)
            })
    }

    static func job(
        _ id: Int, gpus: Int = 4, steps: Double = 1000, guaranteed: Bool = false, tenant: Int = 0,
        submittedAt: Double = 0, curve: SpeedCurve = curve(1)
    ) -> TrainingJob {
        let submitted =
            curve.best(gpus: gpus) ?? SpeedPoint(placement: [gpus], plan: "none", secondsPerStep: 1)
        return TrainingJob(
            id: id, name: "job-\(id)", tenant: tenant, isGuaranteed: guaranteed, submitted: submitted,
            curve: curve, submittedAt: submittedAt, steps: steps)
    }

    static func nodes(_ count: Int, gpus: Int = 8, racks: Int = 1) -> [TrainingNode] {
        (0..<count).map { TrainingNode(gpus: gpus, threads: 96, memoryMiB: 1 << 20, rack: $0 % racks) }
    }

    static func pending(_ job: TrainingJob, since: Double? = nil) -> JobState {
        var state = JobState(job)
        if let since { state.pendingSince = since }
        return state
    }

    /// A job that has run long enough for any gate.
    static func running(
        _ job: TrainingJob, gpus: Int, in room: inout FreeRoom, held: Double = 100_000
    ) throws -> JobState {
        let point = job.options.first { $0.gpus == gpus } ?? job.submitted
        let grant = try #require(room.place(point))
        room.take(grant)
        var state = JobState(job)
        state.grant = grant
        state.phase = .running
        state.heldSeconds = held
        state.firstStart = 0
        return state
    }

    /// What is wrong with a decision, in words; nothing when it may be carried out.
    static func defects(_ state: RoundState, _ decision: RoundDecision) -> [String] {
        var defects: [String] = []
        var room = state.room
        let byID = Dictionary(uniqueKeysWithValues: state.jobs.map { ($0.job.id, $0) })
        var held: [Int: Grant] = [:]
        for job in state.jobs { held[job.job.id] = job.grant }
        if Set(decision.changes.map(\.job)).count != decision.changes.count {
            defects.append("a job changes twice")
        }
        for change in decision.changes {
            guard let job = byID[change.job] else {
                defects.append("an unknown job")
                continue
            }
            if case .starting = job.phase, change.cause != .nodeLost {
                defects.append("a starting job is moved")
            }
            if let grant = job.grant { room.give(grant) }
            held[change.job] = change.to
        }
        for change in decision.changes {
            guard let grant = change.to else { continue }
            room.take(grant)
            if grant.shares.contains(where: { !room.isUp($0.node) }) { defects.append("a node that is lost") }
            if grant.shares.map(\.gpus).sorted(by: >) != grant.point.placement {
                defects.append("another shape")
            }
            if Set(grant.shares.map(\.node)).count != grant.shares.count { defects.append("a node twice") }
        }
        if !room.isSound { defects.append("a node gives more than it has") }
        for job in state.jobs where job.job.isGuaranteed {
            guard let grant = held[job.job.id] else { continue }
            if grant.point.secondsPerStep > job.job.submitted.secondsPerStep {
                defects.append("slower than guaranteed")
            }
        }
        let waiting = decision.waits.map(\.job)
        for job in state.jobs where held[job.job.id] == nil && !waiting.contains(job.job.id) {
            if job.grant == nil { defects.append("job \(job.job.id) waits without a reason") }
        }
        if Set(waiting).count != waiting.count { defects.append("two reasons") }
        if decision.waits.contains(where: { held[$0.job] != nil }) {
            defects.append("a reason to wait for who runs")
        }
        if decision.waits.contains(where: { $0.shortfallGPUs < 0 }) { defects.append("a negative shortfall") }
        return defects
    }
}
