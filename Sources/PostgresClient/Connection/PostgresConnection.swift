import CLibPQ
import Logging
import Synchronization

/// One session with a server.
///
/// Statements of several tasks run one after another in the order they were asked for. Cancelling a task
/// stops its running statement on the server; `CancellationError` is thrown once the connection can be used
/// again. A statement that had ended before the request arrived returns its result.
public actor PostgresConnection {
    nonisolated let executor = DispatchExecutor(label: "postgres.connection")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let configuration: PostgresConfiguration
    nonisolated let logger: Logger
    nonisolated let condition = Mutex(ConnectionCondition())

    var handle: LibPQHandle?
    var watch: SocketWatch?
    var prepared = PreparedStatements()
    var notifications = NotificationBuffer()
    var connectDeadlinePassed = false
    private var canceller: CancelRequester?
    /// The operation that waits for the socket, a cancel request or a deadline.
    private var waiter: CheckedContinuation<Void, Never>?
    /// Operations that wait for their turn, first come first served.
    private var turns: [CheckedContinuation<Void, Never>] = []
    private(set) var phase = Phase.idle
    private var operationNumber: UInt64 = 0
    private var cancel = CancelProgress.none
    /// The operation with the current number spans several calls.
    private var isHeld = false
    var stream: RowStreamState?
    private(set) var breakReason: PostgresError?
    /// A timer will let the idle connection hear of its end.
    private var idleWatchIsDue = false

    /// What the connection is doing, which decides who reads from the socket.
    enum Phase {
        case idle
        /// libpq's connect machine reads for itself.
        case connecting
        /// Input is read as it comes.
        case running
        /// Input is read only while the consumer waits for rows: this is the back-pressure.
        case streaming
    }

    enum CancelProgress {
        case none
        case requested
        case taken
        case overdue
    }

    init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Whether the session is alive as far as this side knows; a server that ends it is noticed at once.
    public nonisolated var isOpen: Bool { condition.withLock { $0.isOpen } }

    /// The process that serves this session, as in `pg_stat_activity.pid`; 0 when closed.
    public var serverProcessID: Int32 {
        handle.map { PQbackendPID($0.pointer) } ?? 0
    }

    /// The server's version as a number: 150004 is 15.4.
    public var serverVersion: Int {
        handle.map { Int(PQserverVersion($0.pointer)) } ?? 0
    }

    /// Ends the session, after the operations that were asked for before.
    public func close() async {
        if phase != .idle { await withCheckedContinuation { turns.append($0) } }
        breakReason = breakReason ?? PostgresError(.connectionClosed, "the connection was closed")
        tearDown()
        handle = nil
        finishTurn()
    }

    // MARK: Turns

    /// Runs `body` when no other operation runs. `isCancellable` is false where the outcome must be known.
    func operation<Result>(
        _ newPhase: Phase = .running,
        isCancellable: Bool = true,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await takeTurn(newPhase, isCancellable: isCancellable)
        defer { finishTurn() }
        return try await runTurn(isCancellable: isCancellable, body)
    }

    /// Like `operation`, but keeps the turn when `body` succeeds, until `endHold`.
    func hold(_ newPhase: Phase, _ body: () async throws -> Void) async throws -> UInt64 {
        try await takeTurn(newPhase, isCancellable: true)
        do {
            try await runTurn(isCancellable: true, body)
        } catch {
            finishTurn()
            throw error
        }
        isHeld = true
        return operationNumber
    }

    /// Runs a step of the operation that holds the turn.
    func heldStep<Result>(_ number: UInt64, _ body: () async throws -> Result) async throws -> Result {
        guard isHolding(number) else {
            throw PostgresError(.connectionBusy, "the row stream or COPY has ended")
        }
        return try await runTurn(isCancellable: true, body)
    }

    func isHolding(_ number: UInt64) -> Bool {
        isHeld && number == operationNumber
    }

    /// Gives back the turn, after a cancel request that is under way can no longer hit the next statement.
    func endHold() async {
        await awaitCancelTaken()
        isHeld = false
        finishTurn()
    }

    private func takeTurn(_ newPhase: Phase, isCancellable: Bool) async throws {
        if isCancellable { try Task.checkCancellation() }
        if isHeld {
            throw PostgresError(.connectionBusy, "a row stream or COPY of this connection is open")
        }
        if phase == .idle { phase = newPhase } else { await withCheckedContinuation { turns.append($0) } }
        phase = newPhase
        operationNumber += 1
        cancel = .none
        // An operation waits for its own input; the source would wake two threads beside it.
        if newPhase == .running { watch?.pauseReading() }
        guard newPhase != .connecting else { return }
        do {
            _ = try openHandle()
        } catch {
            finishTurn()
            throw error
        }
    }

    private func runTurn<Result>(
        isCancellable: Bool, _ body: () async throws -> Result
    ) async throws -> Result {
        guard isCancellable else { return try await body() }
        let number = operationNumber
        return try await withTaskCancellationHandler {
            try await settlingCancel(body)
        } onCancel: {
            executor.perform { self.assumeIsolated { $0.requestCancel(of: number) } }
        }
    }

    private func settlingCancel<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            let result = try await body()
            await awaitCancelTaken()
            return result
        } catch {
            let wasCancelled = cancel != .none
            await awaitCancelTaken()
            guard wasCancelled, let failure = error as? PostgresError, failure.code != .commitOutcomeUnknown,
                failure.isQueryCanceled || cancel == .overdue
            else { throw error }
            throw CancellationError()
        }
    }

    private func finishTurn() {
        recordTransactionStatus()
        if turns.isEmpty {
            phase = .idle
            watchWhenIdle()
        } else {
            turns.removeFirst().resume()
        }
    }

    /// Lets an idle connection hear of its end, once it was left alone for a moment: between the statements
    /// of a busy one the sources would be armed and disarmed for nothing.
    private func watchWhenIdle() {
        guard handle != nil, breakReason == nil, !idleWatchIsDue, watch?.isReadingPaused == true else {
            return
        }
        idleWatchIsDue = true
        let number = operationNumber
        _ = executor.timer(after: .milliseconds(20)) { [weak self] in
            self?.assumeIsolated { connection in
                connection.idleWatchIsDue = false
                guard connection.phase == .idle else { return }
                if connection.operationNumber != number { return connection.watchWhenIdle() }
                _ = connection.resumeInput()
            }
        }
    }

    // MARK: Cancelling

    func requestCancel(of number: UInt64) {
        guard number == operationNumber, phase != .idle, cancel == .none else { return }
        cancel = .requested
        guard let canceller else {
            cancel = .overdue
            return wake()
        }
        send(canceller, of: number, repeatAfter: .milliseconds(20))
        _ = executor.timer(after: configuration.cancelTimeout) { [weak self] in
            self?.assumeIsolated { $0.cancelIsOverdue(number) }
        }
    }

    private func send(_ canceller: CancelRequester, of number: UInt64, repeatAfter delay: Duration) {
        canceller.start { [weak self] in
            guard let self else { return }
            executor.perform { self.assumeIsolated { $0.cancelWasTaken(number, canceller, delay) } }
        }
    }

    /// A server that gets the request before the statement ignores it, so it is repeated, at growing
    /// intervals, for as long as the statement runs.
    private func cancelWasTaken(_ number: UInt64, _ canceller: CancelRequester, _ delay: Duration) {
        guard number == operationNumber, cancel == .requested else { return }
        cancel = .taken
        wake()
        _ = executor.timer(after: delay) { [weak self] in
            self?.assumeIsolated { connection in
                guard number == connection.operationNumber, connection.phase != .idle,
                    connection.cancel == .taken
                else { return }
                connection.cancel = .requested
                connection.send(canceller, of: number, repeatAfter: delay * 2)
            }
        }
    }

    private func cancelIsOverdue(_ number: UInt64) {
        guard number == operationNumber, phase != .idle, cancel == .requested || cancel == .taken else {
            return
        }
        cancel = .overdue
        connectionBroke(
            PostgresError(.connectionLost, "the server did not stop a cancelled statement in time"))
    }

    /// A request that is still under way could stop the next statement, so it is waited for.
    private func awaitCancelTaken() async {
        while cancel == .requested { await waitForEvent() }
    }

    /// Whether the running operation was asked to stop.
    var isCancelRequested: Bool { cancel != .none }

    // MARK: Events

    /// Suspends the operation until `wake`. Between the check of a condition and this call nothing else runs
    /// on the actor, so no event is missed.
    func waitForEvent() async {
        if phase != .connecting, !resumeInput() { return }
        await withCheckedContinuation { waiter = $0 }
    }

    /// Waits on the connection's own thread for as long as a short statement takes, and reads what comes;
    /// false if nothing came. An event of the socket's source would reach the operation through three
    /// threads, which costs more than most statements. What else the actor has to do waits no longer than
    /// this.
    func awaitInputBriefly() -> Bool {
        guard phase == .running, cancel == .none, let watch, watch.awaitReadable(milliseconds: 2) else {
            return false
        }
        readInput()
        return true
    }

    func wake() {
        waiter?.resume()
        waiter = nil
    }

    func socketIsReadable() {
        guard let watch else { return }
        switch phase {
        case .connecting:
            watch.pauseReading()
            wake()
        case .streaming where waiter == nil:
            watch.pauseReading()
        case .idle, .running, .streaming:
            readInput()
        }
    }

    /// Lets input come in again; false if that has just brought everything up to the end.
    private func resumeInput() -> Bool {
        guard let watch, watch.isReadingPaused else { return true }
        guard !watch.peerHasHungUp else {
            readInput()
            return false
        }
        watch.resumeReading()
        return true
    }

    /// Takes what has arrived, and everything up to the end when the server hung up.
    private func readInput() {
        guard let handle else { return }
        repeat {
            guard PQconsumeInput(handle.pointer) != 0 else { return connectionBroke(nil) }
        } while watch?.peerHasHungUp == true
        collectNotifications(handle)
        if PQisBusy(handle.pointer) == 0 || !notifications.isEmpty { wake() }
        if handle.notices.fatal != nil, phase == .idle { connectionBroke(nil) }
    }

    func socketIsWritable() {
        watch?.pauseWriting()
        wake()
    }

    private func collectNotifications(_ handle: LibPQHandle) {
        while let notification = PQnotifies(handle.pointer) {
            notifications.append(
                PostgresNotification(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra),
                    processID: notification.pointee.be_pid))
            PQfreemem(notification)
        }
    }

    // MARK: State

    func startWatching() {
        guard let handle else { return }
        watch?.cancel()
        watch = executor.watch(
            socket: PQsocket(handle.pointer),
            onReadable: { [weak self] in self?.assumeIsolated { $0.socketIsReadable() } },
            onWritable: { [weak self] in self?.assumeIsolated { $0.socketIsWritable() } })
    }

    func becomeOpen(_ handle: LibPQHandle) {
        canceller = CancelRequester(address: UInt(bitPattern: PQgetCancel(handle.pointer)))
        condition.withLock { $0.isOpen = true }
    }

    /// The open session's handle; throws what ended the session.
    func openHandle() throws -> OpaquePointer {
        if let breakReason { throw breakReason }
        guard let handle else { throw PostgresError(.connectionClosed, "the connection is not open") }
        return handle.pointer
    }

    /// Marks the session as lost. Its handle stays, because results may still be in libpq's buffer.
    func connectionBroke(_ reason: PostgresError?) {
        defer { wake() }
        guard breakReason == nil else {
            // The server's last words may come out of libpq's buffer after the end was noticed.
            if breakReason?.sqlState == nil, reason?.sqlState != nil { breakReason = reason }
            return
        }
        // Parses what is left, so that a reason the server gave an idle session is known.
        if let handle { _ = PQisBusy(handle.pointer) }
        let message = PostgresError.connectionMessage(handle?.pointer)
        breakReason = reason ?? handle?.notices.fatal ?? PostgresError(.connectionLost, message)
        tearDown()
    }

    var isBroken: Bool { breakReason != nil }

    private func tearDown() {
        watch?.cancel()
        watch = nil
        let onClose = condition.withLock { condition in
            defer { condition.onClose = nil }
            condition.isOpen = false
            condition.transaction = .unknown
            return condition.onClose
        }
        onClose?()
    }

    /// Calls `onClose` once the session ended, at once if it already has.
    nonisolated func setOnClose(_ onClose: @escaping @Sendable () -> Void) {
        let isOpen = condition.withLock { condition in
            if condition.isOpen { condition.onClose = onClose }
            return condition.isOpen
        }
        if !isOpen { onClose() }
    }

    private func recordTransactionStatus() {
        guard let handle, breakReason == nil else { return }
        let status = PQtransactionStatus(handle.pointer)
        condition.withLock { condition in
            switch status {
            case PQTRANS_IDLE: condition.transaction = .idle
            case PQTRANS_INTRANS: condition.transaction = .active
            case PQTRANS_INERROR: condition.transaction = .failed
            default: condition.transaction = .unknown
            }
        }
    }
}
