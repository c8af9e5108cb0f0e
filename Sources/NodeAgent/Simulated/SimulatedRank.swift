public import AgentProtocol
internal import Fleet
internal import Synchronization

/// A rank of a training job that computes nothing: how far it is follows from the time since it began, at the
/// pace that its plan predicts. It is the same after a restart of the agent.
struct SimulatedRank {
    /// Seconds of training from one checkpoint to the next.
    private static let checkpointSeconds = 1800.0
    /// What a step takes at least: as many steps as a counter holds would otherwise be done at once.
    private static let leastStepSeconds = 1e-9

    let part: SimulatedPart
    let begunAt: MonotonicTime
    /// Seconds of training per second.
    let speed: Double
    let isLeader: Bool
    private let steps: Int
    private let firstStep: Int
    private let stepSeconds: Double

    /// Nil for a part that was not told of steps.
    init?(_ part: SimulatedPart, begunAt: MonotonicTime, speed: Double) {
        guard part.directive.workload.kind == .trainingJob, let env = part.directive.task?.run?.env,
            let steps = env["BASALT_STEPS"].flatMap({ Int($0) }),
            let seconds = env["BASALT_STEP_SECONDS"].flatMap({ Double($0) }), seconds.isFinite
        else { return nil }
        self.part = part
        self.begunAt = begunAt
        self.speed = speed
        self.steps = steps
        stepSeconds = max(seconds, Self.leastStepSeconds)
        firstStep = min(steps, env["BASALT_RESUME_STEP"].flatMap { Int($0) } ?? 0)
        isLeader = env["RANK"] == "0"
    }

    /// When all steps are done.
    var doneAt: MonotonicTime {
        // Longer than any simulation lasts.
        let seconds = min(Double(steps - firstStep) * stepSeconds / speed, 1e9)
        return begunAt.advanced(by: .seconds(seconds))
    }

    func progress(at now: MonotonicTime) -> PartProgress {
        let end = part.endedAt ?? now
        let trained = max(0, end.since(begunAt).inSeconds) * speed
        let step = step(after: trained)
        return PartProgress(
            allocation: part.key.allocation, step: step, checkpointStep: keepsAll ? step : kept(trained),
            iterationMilliseconds: step > firstStep ? stepSeconds * 1000 : nil)
    }

    /// Whether it ended as it was asked to, or was done: its last state is then on disk.
    private var keepsAll: Bool {
        guard case .ended(let end) = part.state else { return false }
        return end == .asked || end == .trained
    }

    private func kept(_ trained: Double) -> Int {
        step(after: (trained / Self.checkpointSeconds).rounded(.down) * Self.checkpointSeconds)
    }

    private func step(after trained: Double) -> Int {
        // A millionth of a step is rounding.
        firstStep + Int(min(trained / stepSeconds + 1e-6, Double(steps - firstStep)))
    }
}

extension SimulatedSubstrate: ProgressSource {
    public func progress() -> [PartProgress]? {
        advance()
        let now = clock.now()
        return state.withLock { state in
            let told = state.parts.values.sorted { $0.key < $1.key }.compactMap { part -> PartProgress? in
                guard let rank = state.rank(part), rank.isLeader, part.state != .starting else { return nil }
                return rank.progress(at: now)
            }
            return told.isEmpty ? nil : told
        }
    }
}
