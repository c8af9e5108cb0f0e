internal import AgentProtocol
internal import Fleet

/// Decides what an agent does. A value: the same events at the same times lead to the same actions.
///
/// Cost of an event is in what it names (the hosts of a poll answer, the parts of a change), never in the
/// number of hosts; only hello looks at all of them.
public struct AgentState: Sendable {
    let configuration: AgentConfiguration
    /// Whether there is a runtime.
    let canRun: Bool
    var inventories: [InventoriedHost]
    /// What the last hello told is out of date.
    var isInventoryStale = false
    var hosts: [String: HostState] = [:]
    var session = SessionPhase.greeting(CallState())
    /// When the last hello was sent.
    var greetedAt = MonotonicTime(microseconds: 0)
    var dirty = DirtyQueue()
    var drives: DriveQueue
    var unreachable: [String] = []
    /// Until when the control plane certainly counts the hosts as held.
    var leaseDeadline: MonotonicTime?
    var random: SplitMix64
    public internal(set) var metrics = AgentMetrics()

    /// - Parameters:
    ///   - hosts: what the session carries.
    ///   - ledger: what an earlier run of the agent noted.
    ///   - adopted: what the runtime knows; nil when there is no runtime.
    ///   - seed: of the jitter between tries.
    public init(
        configuration: AgentConfiguration, hosts: [InventoriedHost], ledger: LedgerSnapshot,
        adopted: [RuntimePart]?, seed: UInt64
    ) {
        self.configuration = configuration
        inventories = hosts.sorted { $0.name < $1.name }
        canRun = adopted != nil
        drives = DriveQueue(limit: configuration.runtimeCallLimit)
        random = SplitMix64(seed: seed)
        for host in hosts { self.hosts[host.name, default: HostState()].isCarried = true }
        restore(ledger)
        pendingAdoption = adopted ?? []
    }

    /// What `started` reconciles with the ledger.
    var pendingAdoption: [RuntimePart] = []

    /// When a `tick` has something to do at the latest; nil when only other events have.
    public var nextDeadline: MonotonicTime? {
        [drives.nextRetry, nextCallDeadline].compactMap { $0 }.min()
    }

    /// Incarnation of the session; nil while it is not greeted.
    public var incarnation: Int? { connection?.incarnation }

    /// All that a new ledger must hold.
    public var ledgerSnapshot: LedgerSnapshot {
        LedgerSnapshot(
            hosts: hosts.compactMapValues { host in
                guard host.accepted != nil || !host.parts.isEmpty else { return nil }
                return .init(accepted: host.accepted, parts: host.parts.mapValues(\.ledgerPart))
            })
    }

    var connection: Connection? {
        if case .connected(let connection) = session { connection } else { nil }
    }

    /// Takes one event.
    /// - Parameter now: rises from call to call.
    /// - Returns: what to do, in order.
    public mutating func handle(_ event: AgentEvent, at now: MonotonicTime) -> [AgentAction] {
        if case .ended = session { return [] }
        var step = AgentStep(now: now)
        switch event {
        case .started: reconcile(pendingAdoption, &step)
        case .tick: drives.releaseRetries(at: now)
        case .helloAnswered(let response): greeted(response, &step)
        case .polled(let response, let incarnation): polled(response, incarnation, &step)
        case .reportAnswered(let response, let incarnation): reported(response, incarnation, &step)
        case .callFailed(let call, let error): failed(call, error, &step)
        case .runtimeAnswered(let call, let failure): answered(call, failure, &step)
        case .runtimeChanged(let changes): changed(changes, &step)
        case .runtimeListed(let parts): listed(parts, &step)
        case .inventoryFound(let found): replaceInventories(found, &step)
        }
        if case .ended = session { return step.finish(hosts) }
        dispatchRuntimeCalls(&step)
        dispatchCalls(&step)
        return step.finish(hosts)
    }

    /// Changes a part, and notes what the ledger and the control plane must hear of it.
    mutating func update(
        _ key: PartKey, _ step: inout AgentStep, _ change: (inout PartState) -> Void
    ) {
        guard var part = hosts[key.host]?.parts[key.allocation] else { return }
        let before = part
        change(&part)
        if part.ledgerPart != before.ledgerPart { step.touch(key) }
        metrics.partsRunning += (part.isRunning ? 1 : 0) - (before.isRunning ? 1 : 0)
        if part.reportedState != before.reportedState || part.listed != before.listed { part.revise() }
        hosts[key.host]?.parts[key.allocation] = part
        if part.revision != before.revision { dirty.insert(key, at: step.now) }
    }

    /// Takes in a part that the state does not hold.
    mutating func insert(_ part: PartState, _ key: PartKey, _ step: inout AgentStep) {
        hosts[key.host, default: HostState()].parts[key.allocation] = part
        metrics.partsRunning += part.isRunning ? 1 : 0
        step.touch(key)
        dirty.insert(key, at: step.now)
    }

    func part(_ key: PartKey) -> PartState? { hosts[key.host]?.parts[key.allocation] }
}

extension PartState {
    /// How the control plane sees the part: one that is yet to stop still runs.
    var reportedState: PartReport.State {
        switch phase {
        case .accepted, .launching, .starting: .starting
        case .running, .stopping: .running
        case .ended(let end): end.outcome == .stopped ? .stopped : .failed
        }
    }

    mutating func revise() {
        revision += 1
        acknowledged = false
    }
}
