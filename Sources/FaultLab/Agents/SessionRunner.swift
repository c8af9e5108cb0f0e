internal import Fleet

/// Plays one problem with one agent on one fleet, and grades it.
public struct SessionRunner: Sendable {
    /// Until the effect of a fault must be seen.
    public var longestVerification = Duration.seconds(900)
    /// From the effect to the moment that the agent is asked: what takes time to show has shown.
    public var pause = Duration.seconds(120)
    /// After the agent's last word until the fleet must be well: repairs and restarts take minutes.
    public var grace = Duration.seconds(900)
    /// Between two looks at the fleet.
    public var pace = Duration.seconds(10)
    public var limits: EvaluationSession.Limits
    public var mode: ActionTextParser.Mode
    /// What is asked.
    public var stages: [Stage]

    public init(
        limits: EvaluationSession.Limits = EvaluationSession.Limits(),
        mode: ActionTextParser.Mode = .lenient, stages: [Stage] = Stage.allCases
    ) {
        self.stages = stages
        self.limits = limits
        self.mode = mode
    }

    public struct Outcome: Sendable {
        public var trace: SessionTrace
        public var grade: SessionGrade
        /// What the faults left behind; empty when all is cleared away.
        public var residue: [String]
        /// What the fleet said of itself meanwhile.
        public var telemetry: SessionTelemetry
    }

    /// - Throws: `ProblemRefusal` when the problem could not be put to the agent, and what the ground throws.
    public func run(
        _ problem: Problem, _ agent: any ScriptedAgent, on ground: any ProblemGround
    ) async throws -> Outcome {
        var agent = agent
        var session = EvaluationSession(
            problem, agent: agent.name, stages: stages, limits: limits, mode: mode, at: ground.now)
        do {
            try await prepare(&session, on: ground)
            try await play(&session, &agent, on: ground)
            let states = try await watch(&session, on: ground)
            let telemetry = await ground.telemetry()
            let residue = await ground.recover()
            try session.recovered(at: ground.now)
            return Outcome(
                trace: session.trace, grade: SessionGrade(session.trace, states: states), residue: residue,
                telemetry: telemetry)
        } catch {
            _ = await ground.recover()
            throw error
        }
    }

    private func prepare(_ session: inout EvaluationSession, on ground: any ProblemGround) async throws {
        try session.begin()
        try session.checked(try await ground.settle())
        if case .failed(let refusal) = session.phase { throw refusal }
        try await ground.inject()
        try session.armed(at: ground.now)
        let deadline = ground.now.advanced(by: longestVerification)
        while await !ground.showsEffect() {
            guard ground.now < deadline else {
                let refusal = ProblemRefusal(
                    .noEffect, session.trace.problem.name, "The fault showed no effect in time.")
                try session.fail(refusal.code, refusal.message)
                throw refusal
            }
            await ground.pass(pace)
        }
        try session.showed(at: ground.now)
        await ground.pass(pause)
        try session.ask(at: ground.now)
    }

    private func play(
        _ session: inout EvaluationSession, _ agent: inout any ScriptedAgent, on ground: any ProblemGround
    ) async throws {
        let brief = Brief(session.trace.problem).text
        var last: Observation?
        while case .active(let stage) = session.phase {
            guard !session.isExhausted(at: ground.now) else { return try session.expire() }
            let step = session.trace.steps.count + 1
            let view = AgentView(
                stage: stage, step: step, stepsLeft: limits.steps - step + 1, now: ground.now, brief: brief,
                last: last)
            let observation =
                switch try session.hear(agent.turn(view), at: ground.now) {
                case .perform(let action): await ground.perform(action)
                case .answer(let observation): observation
                case .next(let stage):
                    Observation.message(stage.map { "Received. Next: \($0.rawValue)." } ?? "Received.")
                }
            try session.answered(observation)
            last = observation
        }
    }

    /// Waits until the fleet is well and looks whether it stays so.
    private func watch(
        _ session: inout EvaluationSession, on ground: any ProblemGround
    ) async throws -> [FleetState] {
        let problem = session.trace.problem
        guard session.trace.stages.contains(.mitigation) else {
            // Nobody was asked to put it right.
            try session.graded(wellSince: nil)
            return [await ground.state()]
        }
        // Where nothing was done there is nothing to wait for.
        let isIdle = problem.truth.hasFault && session.trace.writes.isEmpty
        let deadline = ground.now.advanced(by: isIdle ? .zero : grace)
        var states: [FleetState] = []
        var wellSince: Timestamp?
        while true {
            let state = await ground.state()
            if state.missing(problem.accept).isEmpty {
                if wellSince == nil { states = [] }
                let since = wellSince ?? ground.now
                wellSince = since
                states.append(state)
                if ground.now.since(since) >= .seconds(problem.sustainSeconds) { break }
            } else {
                // What was well and is no more gets no second grace than what is left.
                wellSince = nil
                states = [state]
                if ground.now >= deadline { break }
            }
            await ground.pass(pace)
        }
        try session.graded(wellSince: wellSince)
        return states
    }
}
