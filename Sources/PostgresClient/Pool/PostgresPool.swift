public import Logging
import Synchronization

/// A pool of connections to one database.
///
/// Connections are opened and closed by `run()`, which must be running for callers to be served; `close()`
/// or cancelling `run()` ends it.
public final class PostgresPool: Sendable {
    typealias SlotID = PoolStateMachine.SlotID
    typealias RequestID = PoolStateMachine.RequestID

    /// Numbers for metrics.
    public struct Usage: Sendable, Hashable {
        public let idle: Int
        public let leased: Int
        public let connecting: Int
        public let waiting: Int
    }

    struct Lease: Sendable {
        let slot: SlotID
        let connection: PostgresConnection
    }

    private struct Waiter {
        var continuation: CheckedContinuation<Lease, any Error>
        var timer: DeadlineTimer?
    }

    private struct State {
        var machine: PoolStateMachine
        var connections: [SlotID: PostgresConnection] = [:]
        var waiters: [RequestID: Waiter] = [:]
        var nextRequest: RequestID = 0
        var lastConnectError: PostgresError?
    }

    private enum Work: Sendable {
        case connect(SlotID, after: Duration)
        case close(PostgresConnection)
    }

    public let configuration: PostgresConfiguration
    public let poolConfiguration: PoolConfiguration
    /// What became of the named transactions.
    public let statistics = TransactionStatistics()
    let jitter: JitterSource
    let logger: Logger
    private let state: Mutex<State>
    private let work: AsyncStream<Work>
    private let workInput: AsyncStream<Work>.Continuation
    private let timers = DispatchExecutor(label: "postgres.pool.timers")

    public init(
        configuration: PostgresConfiguration,
        pool: PoolConfiguration = PoolConfiguration(),
        jitter: JitterSource,
        logger: Logger
    ) {
        self.configuration = configuration
        self.poolConfiguration = pool
        self.jitter = jitter
        self.logger = logger
        state = Mutex(State(machine: PoolStateMachine(pool)))
        // Bounded by the number of slots: each has at most one piece of work at a time.
        (work, workInput) = AsyncStream.makeStream(of: Work.self)
    }

    public var usage: Usage {
        state.withLock { state in
            let slots = state.machine.slots.values
            let idle = state.machine.idle.count
            let connecting = slots.count { $0 == .connecting }
            return Usage(
                idle: idle, leased: slots.count - idle - connecting, connecting: connecting,
                waiting: state.machine.queue.count)
        }
    }

    // MARK: Life

    /// Serves until `close()` was called and all connections came back, or until the task is cancelled.
    public func run() async {
        act { $0.machine.start() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            for await work in work {
                group.addTask { await self.carryOut(work) }
            }
            group.cancelAll()
        }
        close()
        let left = state.withLock { state in
            defer { state.connections.removeAll() }
            return state.connections.sorted { $0.key < $1.key }.map(\.value)
        }
        for connection in left { await connection.close() }
    }

    /// Refuses new callers and lets the present ones finish; then `run()` returns.
    public func close() {
        act { $0.machine.close() }
    }

    private func tick() async {
        let interval = max(poolConfiguration.idleTimeout / 4, .milliseconds(100))
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            act { $0.machine.tick(now: .now) }
        }
    }

    private func carryOut(_ work: Work) async {
        switch work {
        case .close(let connection):
            await connection.close()
        case .connect(let slot, let delay):
            do {
                if delay > .zero { try await Task.sleep(for: delay) }
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                act { state in
                    state.connections[slot] = connection
                    state.lastConnectError = nil
                    return state.machine.connected(slot, now: .now)
                }
                connection.setOnClose { [weak self] in self?.act { $0.machine.lost(slot) } }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("pool cannot connect", metadata: ["postgres.error": "\(error)"])
                act { state in
                    state.lastConnectError = error as? PostgresError
                    return state.machine.connectFailed(slot, fraction: jitter.fraction())
                }
            }
        }
    }

    // MARK: Leases

    func lease() async throws -> Lease {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.nextRequest += 1
            return state.nextRequest
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                act { state in
                    state.waiters[id] = Waiter(continuation: continuation)
                    return state.machine.request(id)
                }
                startTimer(id)
                // The handler may have run before there was a waiter.
                if Task.isCancelled { abandon(id, with: nil) }
            }
        } onCancel: {
            abandon(id, with: nil)
        }
    }

    func release(_ lease: Lease) {
        let isReusable = lease.connection.condition.withLock { $0.isReusable }
        act { $0.machine.released(lease.slot, isReusable: isReusable, now: .now) }
    }

    private func startTimer(_ id: RequestID) {
        state.withLock { state in
            guard state.waiters[id] != nil else { return }
            state.waiters[id]?.timer = timers.timer(after: poolConfiguration.acquireTimeout) { [weak self] in
                self?.abandon(id, with: .poolTimeout)
            }
        }
    }

    /// Stops waiting; without a code because the task was cancelled.
    private func abandon(_ id: RequestID, with code: PostgresError.Code?) {
        let (waiter, error) = state.withLock { state -> (Waiter?, (any Error)?) in
            guard state.machine.abandon(id) else { return (nil, nil) }
            return (
                state.waiters.removeValue(forKey: id),
                code.map { Self.refusal($0, cause: state.lastConnectError) }
            )
        }
        waiter?.timer?.cancel()
        waiter?.continuation.resume(throwing: error ?? CancellationError())
    }

    // MARK: Actions

    /// Lets the machine decide under the lock, and carries its actions out after it.
    private func act(_ decide: (inout sending State) -> [PoolStateMachine.Action]) {
        var effects: [@Sendable () -> Void] = []
        state.withLock { state in
            for action in decide(&state) { effects.append(effect(of: action, &state)) }
        }
        for effect in effects { effect() }
    }

    private func effect(
        of action: PoolStateMachine.Action, _ state: inout State
    ) -> @Sendable () -> Void {
        let workInput = workInput
        switch action {
        case .connect(let slot, let delay):
            return { workInput.yield(.connect(slot, after: delay)) }
        case .close(let slot):
            guard let connection = state.connections.removeValue(forKey: slot) else { return {} }
            return { workInput.yield(.close(connection)) }
        case .finished:
            return { workInput.finish() }
        case .lease(let slot, let request):
            guard let waiter = state.waiters.removeValue(forKey: request),
                let connection = state.connections[slot]
            else { preconditionFailure("lease of slot \(slot) to \(request) has no waiter or connection") }
            waiter.timer?.cancel()
            let lease = Lease(slot: slot, connection: connection)
            return { waiter.continuation.resume(returning: lease) }
        case .fail(let request, let code):
            guard let waiter = state.waiters.removeValue(forKey: request) else { return {} }
            waiter.timer?.cancel()
            let error = Self.refusal(code, cause: state.lastConnectError)
            return { waiter.continuation.resume(throwing: error) }
        }
    }

    private static func refusal(_ code: PostgresError.Code, cause: PostgresError?) -> PostgresError {
        switch code {
        case .poolExhausted: PostgresError(code, "too many callers wait for a connection", cause: cause)
        case .poolTimeout: PostgresError(code, "no connection came free in time", cause: cause)
        default: PostgresError(code, "the pool is closed")
        }
    }
}
