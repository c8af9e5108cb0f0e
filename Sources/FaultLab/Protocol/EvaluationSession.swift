public import Fleet

/// The life of one session: a value that is told what happened and says what comes next.
public struct EvaluationSession: Sendable, Hashable {
    public enum Phase: Sendable, Hashable {
        case created
        /// The fleet must be well before anything is done to it.
        case steadyCheck
        /// The faults are being injected.
        case arming
        /// They were, and must show.
        case verifying
        case active(Stage)
        /// The fleet is watched for as long as it must stay well.
        case grading
        case recovering
        case done
        /// Counts neither for nor against the agent.
        case failed(ProblemRefusal)
        case aborted
    }

    public struct Limits: Sendable, Hashable, Codable {
        /// Of all stages together.
        public var steps: Int
        /// Of the fleet's clock, from the moment that the agent is asked.
        public var seconds: Int
        public var observationBytes: Int

        public init(steps: Int = 40, seconds: Int = 7200, observationBytes: Int = Observation.longestText) {
            self.steps = steps
            self.seconds = seconds
            self.observationBytes = observationBytes
        }
    }

    /// What is to be done about something an agent said.
    public enum Verdict: Sendable, Hashable {
        case perform(AgentAction)
        /// It was no action; what it is answered.
        case answer(Observation)
        /// A stage is over; nil when it was the last.
        case next(Stage?)
    }

    /// Something that comes when it must not: a mistake of whoever drives the session.
    public struct OutOfTurn: Error, Sendable, Hashable { public var phase: Phase }

    public private(set) var phase = Phase.created
    public private(set) var trace: SessionTrace
    public let limits: Limits
    public let mode: ActionTextParser.Mode
    private var askedAt: Timestamp?
    /// Heard and not yet answered.
    private var pending: SessionStep?

    /// - Parameter stages: what is asked; taken in the order of `Stage`, all of them when it is empty.
    public init(
        _ problem: Problem, agent: String, stages: [Stage] = Stage.allCases, limits: Limits = Limits(),
        mode: ActionTextParser.Mode = .lenient, at now: Timestamp
    ) {
        let asked = Stage.allCases.filter(stages.contains)
        trace = SessionTrace(
            problem: problem, agent: agent, stages: asked.isEmpty ? Stage.allCases : asked, startedAt: now)
        self.limits = limits
        self.mode = mode
    }

    // MARK: - Before the agent

    public mutating func begin() throws(OutOfTurn) { try move(from: .created, to: .steadyCheck) }

    /// - Parameter state: of the fleet after the warm-up.
    public mutating func checked(_ state: FleetState) throws(OutOfTurn) {
        let missing = state.missing([.everythingRuns, .agentsReport])
        guard !missing.isEmpty else { return try move(from: .steadyCheck, to: .arming) }
        try move(from: .steadyCheck, to: .failed(refusal(.unsteady, missing.joined(separator: "; "))))
    }

    public mutating func armed(at now: Timestamp) throws(OutOfTurn) {
        try move(from: .arming, to: .verifying)
        trace.armedAt = now
    }

    public mutating func showed(at now: Timestamp) throws(OutOfTurn) {
        guard phase == .verifying else { throw OutOfTurn(phase: phase) }
        trace.effectiveAt = now
    }

    /// The agent is asked for the first time.
    public mutating func ask(at now: Timestamp) throws(OutOfTurn) {
        try move(from: .verifying, to: .active(trace.stages.first ?? .detection))
        askedAt = now
    }

    /// The faults showed no effect, or could not be injected.
    public mutating func fail(_ code: ProblemRefusal.Code, _ message: String) throws(OutOfTurn) {
        guard [.arming, .verifying, .steadyCheck].contains(phase) else { throw OutOfTurn(phase: phase) }
        phase = .failed(refusal(code, message))
    }

    private func refusal(_ code: ProblemRefusal.Code, _ message: String) -> ProblemRefusal {
        ProblemRefusal(code, trace.problem.name, message)
    }

    // MARK: - The agent

    /// Whether the agent may go on.
    public func isExhausted(at now: Timestamp) -> Bool {
        trace.steps.count >= limits.steps
            || askedAt.map { now.since($0) >= .seconds(limits.seconds) } ?? false
    }

    /// Takes what an agent said; each takes a step, understood or not.
    public mutating func hear(_ turn: AgentTurn, at now: Timestamp) throws(OutOfTurn) -> Verdict {
        guard case .active(let stage) = phase, pending == nil else { throw OutOfTurn(phase: phase) }
        var step = SessionStep(
            number: trace.steps.count + 1, stage: stage, at: now, said: turn.text, status: .ok,
            observationHash: 0, observedBytes: 0)
        defer { pending = step }
        do throws(ActionTextFailure) {
            let call = try turn.call(mode)
            step.call = call
            do throws(ActionRefusal) {
                let action = try AgentAction(call, stage: stage, mode: mode)
                switch action {
                case .read:
                    step.access = .read
                    return .perform(action)
                case .write(let write):
                    step.access = .write
                    step.write = write
                    return .perform(action)
                case .submit(let solution):
                    step.access = .submit
                    return .next(submit(solution, stage, at: now))
                }
            } catch {
                // AIOpsLab takes any `submit` for an answer, and grades what is no answer as wrong.
                if mode == .strict, error.code == .submission {
                    step.access = .submit
                    return .next(advance(from: stage))
                }
                return .answer(.message(error.message, status: .invalid))
            }
        } catch {
            return .answer(.message(error.message, status: .invalid))
        }
    }

    /// What the agent was answered to what it said last.
    public mutating func answered(_ observation: Observation) throws(OutOfTurn) {
        guard var step = pending else { throw OutOfTurn(phase: phase) }
        pending = nil
        let text = observation.text(bytes: limits.observationBytes)
        step.status = observation.status
        step.observationHash = TextHash.of(text)
        step.observedBytes = text.utf8.count
        trace.steps.append(step)
    }

    private mutating func submit(_ solution: Solution, _ stage: Stage, at now: Timestamp) -> Stage? {
        trace.solutions[stage] = solution
        trace.submittedAt[stage] = now
        return advance(from: stage)
    }

    private mutating func advance(from stage: Stage) -> Stage? {
        let next = trace.stages.first { $0 > stage }
        phase = next.map(Phase.active) ?? .grading
        return next
    }

    /// No steps or no time are left: what was not submitted stays unanswered.
    public mutating func expire() throws(OutOfTurn) {
        guard case .active = phase else { throw OutOfTurn(phase: phase) }
        phase = .grading
    }

    // MARK: - After the agent

    /// - Parameter since: since when the fleet was well; nil when it was not.
    public mutating func graded(wellSince since: Timestamp?) throws(OutOfTurn) {
        try move(from: .grading, to: .recovering)
        trace.wellSince = since
    }

    public mutating func recovered(at now: Timestamp) throws(OutOfTurn) {
        try move(from: .recovering, to: .done)
        trace.endedAt = now
    }

    /// From any phase but an end.
    public mutating func abort() throws(OutOfTurn) {
        switch phase {
        case .done, .failed, .aborted: throw OutOfTurn(phase: phase)
        default: phase = .aborted
        }
    }

    private mutating func move(from: Phase, to: Phase) throws(OutOfTurn) {
        guard phase == from else { throw OutOfTurn(phase: phase) }
        phase = to
    }
}
