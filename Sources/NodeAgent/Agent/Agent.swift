public import AgentProtocol
internal import Fleet
public import Logging
public import ServiceLifecycle
internal import Synchronization
internal import Telemetry

/// Carries the decisions for the hosts of one session out: executes what `AgentState` decides.
///
/// The agent never stops a workload by its own end: after a stop, a crash or a takeover the runtime's shims
/// go on and hold the fence deadlines, and the next start adopts what runs.
public final class Agent: Service {
    private let configuration: AgentConfiguration
    /// Holds the ledger; one agent at a time.
    private let stateDirectory: String
    private let controlPlane: any ControlPlane
    private let inventory: any InventorySource
    private let runtime: (any VMRuntime)?
    private let output: (any OutputSource)?
    private let progress: (any ProgressSource)?
    let devices: DeviceHealthWatch?
    private let clock: any AgentClock
    private let seed: UInt64
    private let disk: MemoryDisk?
    private let logger: Logger
    private let published = Mutex(AgentMetrics())
    /// Times of calls; everything else is in `metrics`.
    let calls = MetricRegistry<AgentMetric>()

    typealias Children = ThrowingDiscardingTaskGroup<any Error>

    /// - Parameters:
    ///   - stateDirectory: where the ledger is kept; created when absent.
    ///   - runtime: nil on a host that is only observed; its inventory says so in `substrate`.
    ///   - output: nil where parts write nothing that is kept.
    ///   - progress: nil where parts do not tell how far they are.
    ///   - devices: judges the inventory, which is asked again and told when it has something new; nil where
    ///     devices are not watched.
    ///   - seed: of the jitter between tries; different for every start.
    ///   - disk: keeps the ledger instead of files, in a simulation.
    public init(
        configuration: AgentConfiguration, stateDirectory: String, controlPlane: any ControlPlane,
        inventory: any InventorySource, runtime: (any VMRuntime)?, output: (any OutputSource)? = nil,
        progress: (any ProgressSource)? = nil, devices: DeviceHealthWatch? = nil, clock: any AgentClock,
        seed: UInt64, disk: MemoryDisk? = nil, logger: Logger
    ) {
        self.devices = devices
        self.configuration = configuration
        self.stateDirectory = stateDirectory
        self.controlPlane = controlPlane
        self.inventory = inventory
        self.runtime = runtime
        self.output = output
        self.progress = progress
        self.clock = clock
        self.seed = seed
        self.disk = disk
        self.logger = logger
    }

    /// What the agent counted so far.
    public var metrics: AgentMetrics { published.withLock { $0 } }

    /// Works until graceful shutdown or cancellation.
    /// - Throws: `AgentError.superseded`; `JournalError` when the ledger cannot be read or written, as
    ///   nothing may be done then that is not on disk; what the inventory source throws.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.work() }
        } catch is CancellationError {
            logger.info("agent ends; workloads go on")
        }
    }

    /// Works until cancelled, whatever becomes of the service group.
    /// - Throws: as `run`, and `CancellationError`.
    public func work() async throws {
        let (ledger, snapshot) = try AgentLedger.open(directory: stateDirectory, on: disk)
        let hosts = try await inventory.hosts()
        let adopted = try await adopt()
        var state = AgentState(
            configuration: configuration, hosts: hosts, ledger: snapshot, adopted: adopted, seed: seed)
        let inbox = Mailbox<AgentEvent>()
        inbox.post(.started)
        try await withThrowingDiscardingTaskGroup { children in
            if let runtime = self.runtime {
                children.addTask {
                    try await Self.untilCancelled { try await self.watch(runtime, into: inbox) }
                }
            }
            if let devices = self.devices {
                children.addTask {
                    try await Self.untilCancelled { try await self.watch(devices, into: inbox) }
                }
            }
            var due: MonotonicTime?
            while true {
                let events = try await next(inbox, until: due)
                let actions = events.flatMap { state.handle($0, at: clock.now()) }
                try persist(actions, in: ledger, state: &state)
                for action in actions {
                    try execute(action, reportTimeout: state.reportTimeout, inbox, &children)
                }
                published.withLock { $0 = state.metrics }
                let soonest = clock.now().advanced(by: configuration.tick)
                due = state.nextDeadline.map { max($0, soonest) }
            }
        }
    }

    /// A child's end by cancellation is no error: the group would report it in place of why it ended.
    private static func untilCancelled(_ body: () async throws -> Void) async throws {
        do { try await body() } catch is CancellationError { return }
    }

    /// One append for all that the events led to: everything is on disk before anything is done.
    private func persist(
        _ actions: [AgentAction], in ledger: AgentLedger, state: inout AgentState
    ) throws {
        let entries = actions.flatMap { action -> [LedgerEntry] in
            if case .persist(let entries) = action { entries } else { [] }
        }
        if !entries.isEmpty { try ledger.append(entries) }
        if ledger.isCompactionDue {
            try ledger.compact(state.ledgerSnapshot)
            state.metrics.ledgerCompactions += 1
        }
        state.metrics.ledgerBytes = ledger.byteCount
    }

    private func execute(
        _ action: AgentAction, reportTimeout: Duration, _ inbox: Mailbox<AgentEvent>,
        _ children: inout Children
    ) throws {
        switch action {
        case .persist: break  // Done, first.
        case .hello(let request): children.addTask { await self.hello(request, into: inbox) }
        case .poll(let request): children.addTask { await self.poll(request, into: inbox) }
        case .report(let request):
            children.addTask { await self.report(request, within: reportTimeout, into: inbox) }
        case .start(let start): children.addTask { await self.start(start, into: inbox) }
        case .stop(let key): children.addTask { await self.stop(key, into: inbox) }
        case .forget(let keys): children.addTask { await self.forget(keys) }
        case .renew(let renewal): runtime?.renew(renewal)
        case .answer(let questions):
            for question in questions { children.addTask { await self.answer(question) } }
        case .notice(let notice): notice.log(to: logger)
        case .exit(let error): throw error
        }
    }

    /// What happened; a tick when that is nothing until the state has something to do by itself, so that an
    /// idle agent sleeps until then.
    private func next(_ inbox: Mailbox<AgentEvent>, until due: MonotonicTime?) async throws -> [AgentEvent] {
        guard let due else { return try await inbox.take() }
        return try await inbox.take(until: due, by: clock, else: .tick)
    }
}

extension Agent {
    // MARK: Control plane

    private func hello(_ request: HelloRequest, into inbox: Mailbox<AgentEvent>) async {
        await answer(.hello, within: configuration.callTimeout, into: inbox) {
            .helloAnswered(try await self.controlPlane.hello(request))
        }
    }

    private func poll(_ request: PollRequest, into inbox: Mailbox<AgentEvent>) async {
        let incarnation = request.incarnation
        let limit = configuration.callTimeout + .seconds(request.waitSeconds)
        await answer(.poll(incarnation: incarnation), within: limit, into: inbox) {
            .polled(try await self.controlPlane.poll(request), incarnation: incarnation)
        }
    }

    private func report(
        _ request: ReportRequest, within limit: Duration, into inbox: Mailbox<AgentEvent>
    ) async {
        let incarnation = request.incarnation
        var request = request
        request.progress = await progress?.progress()
        await answer(.report(incarnation: incarnation), within: limit, into: inbox) { [request] in
            .reportAnswered(try await self.controlPlane.report(request), incarnation: incarnation)
        }
    }

    /// Posts what came of a call, and always something: the state waits for it.
    private func answer(
        _ call: AgentCall, within limit: Duration, into inbox: Mailbox<AgentEvent>,
        _ body: @escaping @Sendable () async throws -> AgentEvent
    ) async {
        let clock = clock
        let start = clock.now()
        do {
            let event = try await result(within: limit, of: body)
            note(call, took: clock.now().since(start))
            inbox.post(event)
        } catch let error as ControlPlaneError {
            calls.add(.callFailures, [call.name])
            inbox.post(.callFailed(call, error))
        } catch {
            calls.add(.callFailures, [call.name])
            inbox.post(.callFailed(call, .unavailable("\(error)")))
        }
    }

    /// What a call came to; one that takes longer is cancelled.
    private func result(
        within limit: Duration, of body: @escaping @Sendable () async throws -> AgentEvent
    ) async throws -> AgentEvent {
        let answers = Mailbox<Result<AgentEvent, any Error>>()
        return try await withThrowingDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            group.addTask {
                do { answers.post(.success(try await body())) } catch { answers.post(.failure(error)) }
            }
            let late = ControlPlaneError.unavailable("no answer within \(limit)")
            let first = try await answers.take(
                until: clock.now().advanced(by: limit), by: clock, else: .failure(late)
            ).first
            return try (first ?? .failure(late)).get()
        }
    }

    /// One try: whoever reads asks again.
    private func answer(_ question: LogQuestion) async {
        var answer = LogAnswer(id: question.id, refusal: "this substrate keeps no output")
        if let output {
            do throws(RuntimeError) {
                answer = LogAnswer(id: question.id, piece: try await output.read(question))
            } catch {
                answer.refusal = error.message
            }
        }
        do {
            try await controlPlane.answer(answer)
        } catch {
            logger.warning("output not delivered", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Runtime

    private func start(_ start: PartStart, into inbox: Mailbox<AgentEvent>) async {
        guard let runtime else { return }
        do throws(RuntimeError) {
            try await runtime.start(start)
            inbox.post(.runtimeAnswered(.start(start.key), failure: nil))
        } catch {
            inbox.post(.runtimeAnswered(.start(start.key), failure: error))
        }
    }

    private func stop(_ key: PartKey, into inbox: Mailbox<AgentEvent>) async {
        guard let runtime else { return }
        do throws(RuntimeError) {
            try await runtime.stop(key)
            inbox.post(.runtimeAnswered(.stop(key), failure: nil))
        } catch {
            inbox.post(.runtimeAnswered(.stop(key), failure: error))
        }
    }

    /// A part that could not be forgotten is met again at the next start, and forgotten then.
    private func forget(_ keys: [PartKey]) async {
        guard let runtime else { return }
        do throws(RuntimeError) {
            try await runtime.forget(keys)
        } catch {
            logger.warning("ended parts were not forgotten", metadata: ["error": "\(error)"])
        }
    }

    /// What the runtime knows; nil without one. Tried until it answers: without it nothing may be reported.
    private func adopt() async throws -> [RuntimePart]? {
        guard let runtime else { return nil }
        while true {
            do throws(RuntimeError) {
                return try await runtime.parts()
            } catch {
                logger.error("the runtime does not tell what runs", metadata: ["error": "\(error)"])
            }
            try await pause()
        }
    }

    private func watch(_ runtime: any VMRuntime, into inbox: Mailbox<AgentEvent>) async throws {
        while true {
            do {
                inbox.post(.runtimeChanged(try await runtime.changes()))
                continue
            } catch let error as CancellationError {
                throw error
            } catch {
                logger.warning("the runtime cannot be watched", metadata: ["error": "\(error)"])
            }
            try await pause()
            if let parts = try await adopt() { inbox.post(.runtimeListed(parts)) }
        }
    }

    private func watch(_ devices: DeviceHealthWatch, into inbox: Mailbox<AgentEvent>) async throws {
        while true {
            try await devices.changes()
            do {
                inbox.post(.inventoryFound(try await inventory.hosts()))
            } catch let error as CancellationError {
                throw error
            } catch {
                logger.warning("the inventory cannot be read anew", metadata: ["error": "\(error)"])
                try await pause()
            }
        }
    }

    private func pause() async throws {
        try await clock.sleep(until: clock.now().advanced(by: configuration.backoff.cap))
    }
}
