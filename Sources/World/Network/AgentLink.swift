internal import AgentProtocol
internal import Control
internal import FaultLab
internal import Fleet
internal import Store
internal import Synchronization

/// How an agent's calls reach a controller, over a network that delays, drops, doubles and cuts.
final class AgentLink: ControlPlane {
    /// A silent network: whoever calls gives up long before.
    private static let forever = Duration.seconds(86_400)
    /// Share of messages that take a while; all of them would cost most of a run's time.
    private static let slowMessages = 0.1

    private let machine: Machine
    private let process: SimulatedProcess
    private let state: Mutex<(random: FaultRandom, controller: Int)>

    init(machine: Machine, process: SimulatedProcess) {
        self.machine = machine
        self.process = process
        var random = FaultRandom(seed: machine.world.seed(for: "\(machine.name.host) link"))
        for _ in 0..<2 { _ = random.next() }
        let first =
            (machine.index + Int(machine.world.clock.now % 3)) % machine.world.configuration.controllers
        state = Mutex((random, first))
    }

    func hello(_ request: HelloRequest) async throws -> HelloResponse {
        try await call(.hello) { try await $0.hello(request, session: $1) }
    }

    func poll(_ request: PollRequest) async throws -> PollResponse {
        try await call(.poll) { try await $0.poll(request, session: $1) }
    }

    func report(_ request: ReportRequest) async throws -> ReportResponse {
        try await call(.report) { try await $0.report(request, session: $1) }
    }

    func answer(_ answer: LogAnswer) async throws {
        _ = try await call(.report) { try await $0.answer(answer, session: $1) }
    }

    private func call<Answer: Sendable>(
        _ event: Trace.Event, _ body: (AgentSessions, SessionRecord) async throws -> Answer
    ) async throws -> Answer {
        try await process.proceed()
        let start = machine.world.clock.now
        let target = state.withLock { $0.controller }
        do {
            let answer = try await deliver(event, to: target, body)
            machine.world.trace.count(event, machine.index, 1)
            note(event, since: start, nil)
            return answer
        } catch {
            note(event, since: start, error)
            guard let error = error as? ControlPlaneError else {
                // Whoever gave up waiting for this controller asks another one next.
                leave(target)
                throw error
            }
            machine.world.trace.count(.callFailed, machine.index, Int(event.rawValue))
            if case .unavailable = error { leave(target) }
            throw error
        }
    }

    private func note(_ event: Trace.Event, since start: Int64, _ error: (any Error)?) {
        let world = machine.world
        guard world.spans.isOn else { return }
        world.spans.note(machine.name.host, "\(event)", start: start, end: world.clock.now, error: error)
    }

    private func deliver<Answer: Sendable>(
        _ event: Trace.Event, to target: Int,
        _ body: (AgentSessions, SessionRecord) async throws -> Answer
    ) async throws -> Answer {
        let world = machine.world
        try await carry(isReport: event == .report)
        guard let controller = world.seats[target].current else {
            throw ControlPlaneError.unavailable("connection refused")
        }
        let answer = try await controller.serve(credential: machine.credential, body)
        let doubling = world.conditions.link(machine.index).duplication
        if doubling > 0, event == .report, state.withLock({ $0.random.chance(doubling) }) {
            // Nobody hears the answer to the second copy.
            _ = try? await controller.serve(credential: machine.credential, body)
        }
        try await carry(isAnswer: true)
        try await process.proceed()
        return answer
    }

    /// One way over the network.
    private func carry(isReport: Bool = false, isAnswer: Bool = false) async throws {
        let clock = machine.world.clock
        let condition = machine.world.conditions.link(machine.index)
        let (isLost, delay) = state.withLock { state -> (Bool, Duration) in
            var loss = condition.loss
            if isReport { loss = max(loss, condition.reportLoss) }
            let isLost = loss > 0 && state.random.chance(loss)
            var delay = condition.delay * (condition.delay > .zero ? state.random.nextUnit() : 0)
            if state.random.chance(Self.slowMessages) {
                delay += .microseconds(200 + state.random.below(5000))
            }
            return (isLost, delay)
        }
        if condition.isPartitioned || isLost || (isAnswer && condition.losesAnswers) {
            try await clock.sleep(for: Self.forever)
        }
        if delay > .zero { try await clock.sleep(for: delay) }
    }

    /// The next try goes to another controller, as the product's client does it: unless a call beside this one
    /// has turned already.
    private func leave(_ target: Int) {
        let count = machine.world.configuration.controllers
        state.withLock { if $0.controller == target { $0.controller = (target + 1) % count } }
    }
}
