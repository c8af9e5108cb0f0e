internal import AgentProtocol
internal import Control
internal import Fleet
internal import Logging
internal import Store
internal import Synchronization

/// Where a controller runs: it is started again after every end.
final class ControllerSeat: Sendable {
    let name: String
    private let world: World
    private let state = Mutex<(current: Controller?, startAt: Int64, starts: Int)>((nil, 0, 0))
    /// Of its machine's wall clock.
    private let offset = Mutex(Duration.zero)

    init(name: String, world: World) {
        self.name = name
        self.world = world
    }

    /// Nil while it is down.
    var current: Controller? { state.withLock { $0.current } }

    /// Runs controllers until cancelled.
    func run() async {
        while !Task.isCancelled {
            do { try await world.clock.sleep(until: state.withLock { $0.startAt }) } catch { return }
            let start = state.withLock { state in
                state.starts += 1
                return state.starts
            }
            let controller = Controller(name: "\(name).\(start)", seat: self, world: world)
            state.withLock { $0.current = controller }
            world.trace.note(.controllerStarted, controller.name)
            await controller.run()
            world.trace.note(.controllerEnded, controller.name)
            state.withLock { $0.current = nil }
        }
    }

    /// Ends it without a last word; what it had sent to the store counts, what it had not does not.
    func crash(until time: Int64) {
        let controller = state.withLock { state in
            state.startAt = max(state.startAt, time)
            return state.current
        }
        controller?.process.kill()
    }

    func stall(until time: Int64) { current?.process.stall(until: time) }

    /// Moves the wall clock of the machine that it runs on.
    func shiftWall(by duration: Duration) { offset.withLock { $0 += duration } }

    var wall: Timestamp { world.clock.wall.advanced(by: offset.withLock { $0 }) }
}

/// One process with everything that `basaltd serve` runs but the API.
final class Controller: Sendable {
    let name: String
    let process: SimulatedProcess
    let sessions: AgentSessions
    private let hub: FeedHub
    private let supervisor: CellSupervisor
    private let housekeeping: Housekeeping
    private let store: StoreLink

    init(name: String, seat: ControllerSeat, world: World) {
        self.name = name
        let process = SimulatedProcess(clock: world.clock)
        let clock = world.clock
        var limits = CellLimits()
        // Whoever is put to a problem is to see what is wrong with devices, and to act on it.
        limits.repairsAtMost = 0
        let time = Timekeeper(
            now: { seat.wall },
            sleep: { duration in
                try await clock.sleep(for: duration)
                try await process.proceed()
            }, uptime: { .microseconds(clock.now) }, alarm: process.alarm)
        self.process = process
        let store = StoreLink(
            store: world.store, process: process, conditions: world.conditions, seed: world.seed(for: name))
        self.store = store
        let logger = world.logger(name)
        let hub = FeedHub(store: store, time: time, logger: logger)
        self.hub = hub
        sessions = AgentSessions(store: store, hub: hub, ids: world.ids, terms: limits.terms)
        supervisor = CellSupervisor(
            holder: name, store: store, hub: hub, ids: world.ids, time: time, limits: limits, logger: logger)
        housekeeping = Housekeeping(store: store, time: time, logger: logger)
        process.atDeath { hub.dismissClients() }
    }

    /// Runs until it is killed.
    func run() async {
        let (hub, supervisor, housekeeping) = (hub, supervisor, housekeeping)
        await process.run {
            await withDiscardingTaskGroup { group in
                group.addTask { await hub.run() }
                group.addTask { await supervisor.run() }
                group.addTask { await housekeeping.run() }
            }
        }
    }

    /// Serves one call of an agent.
    /// - Throws: `ControlPlaneError`, as an agent sees it through HTTP.
    func serve<Answer: Sendable>(
        credential: String, _ body: (AgentSessions, SessionRecord) async throws -> Answer
    ) async throws -> Answer {
        do {
            guard let session = try await store.session(credentialHash: credential) else {
                throw ControlPlaneError.unauthorized("no such session")
            }
            let answer = try await body(sessions, session)
            try await process.proceed()
            return answer
        } catch let error as StoreError {
            throw ControlPlaneError(error)
        } catch let error as CancellationError {
            if Task.isCancelled { throw error }
            throw ControlPlaneError.unavailable("the connection was reset")
        }
    }
}

extension ControlPlaneError {
    /// What an agent makes of the answer that the API gives for an error of the store.
    fileprivate init(_ error: StoreError) {
        switch error {
        case .sessionSuperseded: self = .superseded
        case .unauthorized(let message): self = .unauthorized(message)
        case .unavailable(let message), .outcomeUnknown(let message): self = .unavailable(message)
        default: self = .refused(code: "store", message: "\(error)")
        }
    }
}
