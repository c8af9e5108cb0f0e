internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation

/// A session while its program runs: passes on what the agent says, one thing at a time, and what it is
/// answered.
///
/// It knows what the agent knows. The problem, its truth and its grade are in the program alone until the
/// program has ended.
actor LiveSession {
    nonisolated let id: String
    /// Lines for the program; ends with the session.
    nonisolated let lines: AsyncStream<String>
    private let outgoing: AsyncStream<String>.Continuation
    private let limits: EvaluationSession.Limits
    private(set) var card: SessionCard
    private var view: AgentView?
    private var waiting: CheckedContinuation<SessionAnswer, Never>?
    /// Answers by the names that agents gave their calls, so that a call is carried out once.
    private var answered: [String: SessionAnswer] = [:]
    /// What was submitted before its stage was asked.
    private var early: [Stage: ActionValue] = [:]
    private var submitted: Set<Stage> = []
    /// Whether an answer to something kept is on its way.
    private var isSayingEarly = false
    /// Process of the program.
    private var processID: Int32?

    init(_ request: SessionRequest, id: String, at now: Timestamp) {
        self.id = id
        limits = request.limits
        (lines, outgoing) = AsyncStream.makeStream()
        card = SessionCard(
            id: id, agent: request.agent, state: .preparing, stages: request.stages, stage: nil, step: 0,
            stepsLeft: request.limits.steps, now: nil, createdAt: now, message: nil)
    }

    /// What the agent is told at the start; nil before it is asked.
    var brief: String? { view?.brief }

    // MARK: - The agent

    /// Says something and waits for the answer.
    ///
    /// - Parameter call: the agent's name for the call; nil when it gave none.
    func say(_ turn: AgentTurn, call: String?) async throws -> SessionAnswer {
        if let call, let answer = answered[call] { return answer }
        guard waiting == nil, !isSayingEarly else {
            throw Problem(.idempotencyInProgress, detail: "The session carries out one call at a time.")
        }
        try requireActive()
        let line = try Self.line(turn)
        let answer = await withCheckedContinuation { continuation in
            waiting = continuation
            outgoing.yield(line)
        }
        if let call { answered[call] = answer }
        return answer
    }

    private func requireActive() throws(Problem) {
        switch card.state {
        case .active: return
        case .preparing:
            throw Problem(.unavailable, detail: "The fleet is being made; ask for the session's state.")
        case .done, .failed, .aborted:
            throw Problem(.guardRefused, detail: "The session is over: \(card.state.rawValue).")
        }
    }

    /// Submits for a stage. What is for a later stage is kept until that is asked.
    func submit(_ solution: ActionValue?, for stage: Stage?) async throws {
        guard !card.state.isOver else { return try requireActive() }
        let stage = stage ?? card.stage ?? card.stages.first ?? .detection
        guard card.stages.contains(stage) else {
            throw RequestBody.defect("stage", .invalid, "is not asked in this session")
        }
        guard !submitted.contains(stage), card.stage.map({ stage >= $0 }) ?? true else {
            throw Problem(.alreadyExists, detail: "The stage \(stage.rawValue) has its answer.")
        }
        submitted.insert(stage)
        guard card.stage == stage, waiting == nil, !isSayingEarly else {
            return early[stage] = solution ?? .null
        }
        let answer = try await say(Self.submission(solution ?? .null), call: nil)
        // An answer of the wrong form leaves the stage open.
        if answer.status == .invalid {
            submitted.remove(stage)
            throw RequestBody.defect("solution", .invalid, answer.text)
        }
    }

    private static func submission(_ solution: ActionValue) -> AgentTurn {
        .call(ActionCall(name: ActionVerb.submit.rawValue, arguments: solution == .null ? [] : [solution]))
    }

    private static func line(_ turn: AgentTurn) throws -> String {
        String(decoding: try JSONEncoder().encode(turn), as: UTF8.self)
    }

    // MARK: - The program

    func started(_ processID: Int32) { self.processID = processID }

    /// Takes a line of the program.
    func heard(_ line: SessionLine) {
        switch line {
        case .asked(let view):
            let before = view.last ?? .message("")
            self.view = view
            card.state = .active
            card.stage = view.stage
            card.step = view.step - 1
            card.stepsLeft = view.stepsLeft
            card.now = view.now
            // What was kept and has the wrong form leaves its stage open.
            if isSayingEarly, before.status == .invalid { submitted.remove(view.stage) }
            isSayingEarly = false
            answer(before)
            sayEarly()
        case .ended: end(.done)
        // What it says names the problem, and is told with the result.
        case .refused(let refusal): end(.failed, "The session could not be played: \(refusal.code.rawValue).")
        }
    }

    private func sayEarly() {
        guard waiting == nil, let stage = card.stage, let solution = early.removeValue(forKey: stage),
            let line = try? Self.line(Self.submission(solution))
        else { return }
        isSayingEarly = true
        outgoing.yield(line)
    }

    private func answer(_ observation: Observation) {
        waiting?.resume(returning: SessionAnswer(card, observation, bytes: limits.observationBytes))
        waiting = nil
    }

    /// The program has ended.
    func closed() { end(.aborted, "The session's program ended before the session did.") }

    private func end(_ state: SessionState, _ message: String? = nil) {
        guard !card.state.isOver else { return }
        card.state = state
        card.stage = nil
        card.message = message
        if state == .done {
            card.step += 1
            card.stepsLeft = max(0, card.stepsLeft - 1)
        }
        outgoing.finish()
        answer(.message(state == .done ? "Received." : message ?? "", status: state == .done ? .ok : .error))
    }

    /// Ends the session at once. Its fleet goes with its program: nothing is left of the faults.
    func abort(_ message: String) {
        end(.aborted, message)
        if let processID { _ = kill(processID, SIGKILL) }
        processID = nil
    }

    /// The program is gone, and its number is another's.
    func gone() {
        processID = nil
        closed()
    }
}
