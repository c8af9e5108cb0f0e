internal import AgentProtocol
internal import Control
internal import FaultLab
public import Fleet
internal import Logging
public import Store
internal import Synchronization

/// A fleet with its control plane in one process: the product's controllers and agents on a store in memory,
/// under one clock that jumps, run by one task after another.
public final class World: Sendable {
    public let configuration: WorldConfiguration
    /// The store itself, without the faults of the connections to it: for whoever looks on.
    public let store: MemoryStore
    let clock = VirtualClock()
    let executor = WorldExecutor()
    let trace: Trace
    let ids: SeededIDs
    let conditions: Conditions
    let outcomes = FaultOutcomes()
    let ledger = LedgerWatch()
    let spans = SpanLog()
    let running = Mutex<[Int: Fault]>([:])
    let mistakes = Mistakes()
    /// The one that everything belongs to.
    static let project = "team"
    let verdict = Mutex(Verdict())
    private let failures = Mutex<[String]>([])
    private let log = WorldLog()
    private let parts = Mutex<(machines: [Machine], seats: [ControllerSeat])>(([], []))

    init(_ configuration: WorldConfiguration) {
        self.configuration = configuration
        let clock = clock
        trace = Trace(clock: clock)
        ids = SeededIDs(seed: configuration.seed, clock: clock)
        store = MemoryStore(
            now: { clock.wall }, pause: { try await clock.sleep(for: $0) }, alarm: clock.alarm)
        let names = configuration.machines
        conditions = Conditions(machines: names)
        let machines = names.enumerated().map { Machine(name: $1, index: $0, world: self) }
        let seats = (0..<configuration.controllers).map {
            ControllerSeat(name: WorldConfiguration.controllerName($0), world: self)
        }
        parts.withLock { $0 = (machines, seats) }
    }

    var machines: [Machine] { parts.withLock { $0.machines } }
    var seats: [ControllerSeat] { parts.withLock { $0.seats } }

    /// A seed for something that draws for itself, so that one more draw here moves nothing there.
    func seed(for name: String) -> UInt64 {
        var hash = configuration.seed &* 0x9E37_79B9_7F4A_7C15 &+ 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    func logger(_ component: String) -> Logger {
        let (log, clock) = (log, clock)
        var logger = Logger(label: component) { WorldLogHandler(component: $0, log: log, clock: clock) }
        logger.logLevel = .notice
        return logger
    }

    /// Something that must not happen, and that no invariant speaks of.
    func fail(_ message: String) {
        trace.note(.violation, "world", message)
        failures.withLock { $0.append(message) }
    }

    var failed: [String] { failures.withLock { $0 } }

    // MARK: For whoever looks on, or takes part

    /// Time since the world began.
    public var now: Duration { .microseconds(clock.now) }
    public var wall: Timestamp { clock.wall }
    /// The last lines that components logged, oldest first.
    public func lines(of component: String? = nil) -> [WorldLogLine] { log.lines(of: component) }

    /// Lets the world go on for a while.
    /// - Throws: `CancellationError`.
    public func sleep(for duration: Duration) async throws { try await clock.sleep(for: duration) }

    // MARK: Running

    /// Runs a world to its end: a phase with faults in which the invariants must hold, then one without in
    /// which everything must become well.
    ///
    /// - Parameter body: takes part in it, on the world's own clock.
    /// - Throws: `WorldError`.
    public static func run(
        _ configuration: WorldConfiguration, with body: @escaping @Sendable (World) async -> Void = { _ in }
    ) async throws -> WorldReport {
        let world = World(configuration)
        let jobs = await withTaskGroup(of: Int?.self) { group in
            let executor = world.executor
            // The first job is there before the loop looks for one.
            group.addTask(executorPreference: executor) {
                await world.live(body)
                executor.finish()
                return 0
            }
            group.addTask { executor.run(world.clock) }
            var jobs: Int? = 0
            for await count in group { jobs = jobs.flatMap { jobs in count.map { jobs + $0 } } }
            return jobs
        }
        guard let jobs else { throw WorldError.stalled(at: world.now) }
        let strays = world.executor.strays
        if strays > 0 { world.fail("\(strays) jobs came from outside of the world's executor") }
        return WorldReport(world, jobs: jobs)
    }

    private func live(_ body: @escaping @Sendable (World) async -> Void) async {
        do {
            try await found()
        } catch {
            return fail("the fleet was not made: \(error)")
        }
        let judge = Judge(world: self)
        await withDiscardingTaskGroup { group in
            for seat in seats { group.addTask { await seat.run() } }
            for machine in machines { group.addTask { await machine.run() } }
            group.addTask { await self.listen() }
            group.addTask { await self.mistakes.run(in: self) }
            await withTaskGroup { players in
                let end = configuration.duration.microseconds
                let workload = Workload(world: self)
                for cell in 0..<configuration.cells { players.addTask { await workload.run(cell: cell) } }
                players.addTask { await self.play(self.configuration.schedule) }
                if configuration.endsWithBody {
                    await body(self)
                } else {
                    players.addTask { await body(self) }
                    await judge.watch(until: end)
                }
                players.cancelAll()
            }
            revertAll()
            if !configuration.endsWithBody {
                await judge.expectRecovery(within: configuration.recoveryBound)
            }
            group.cancelAll()
        }
    }

    /// Makes cells, pools, a project and the sessions of the agents.
    private func found() async throws {
        let context = WriteContext(actor: "user/world", verb: "create")
        var drafts = [DocumentDraft(uid: ID(ids.next()), kind: .project, name: Self.project, spec: "{}")]
        let pools = Dictionary(machines.map { ($0.name.cell, $0.name.pool) }) { first, _ in first }
        for (index, (cell, pool)) in pools.sorted(by: { $0.key < $1.key }).enumerated() {
            drafts.append(DocumentDraft(uid: ID(ids.next()), kind: .cell, name: cell, spec: "{}"))
            var spec = PoolSpec(cell: cell, admits: [.vm], cpuRatioPerMille: 1500)
            // Every second cell goes by lifetimes and moves VMs so that hosts are whole.
            if index % 2 == 1 {
                spec.placement = .tightLava
                spec.defragmentation = DefragmentationRules(
                    mode: .enforce, targetEmptyPerMille: 250, afterMinutes: 5)
            }
            drafts.append(
                DocumentDraft(
                    uid: ID(ids.next()), kind: .pool, name: pool, spec: try Workload.text(spec)))
        }
        _ = try await store.create(drafts, context: context)
        for machine in machines {
            let name = machine.name
            try await store.createJoinToken(
                JoinToken(
                    secretHash: "token-\(name.host)", cell: name.cell, pool: name.pool,
                    hostPattern: name.host, lifetime: .seconds(60)), context: context)
            _ = try await store.join(
                JoinSpending(
                    tokenHash: "token-\(name.host)", session: ID(ids.next()), name: name.host,
                    substrate: "simulated", hosts: [name.host], credentialHash: machine.credential))
        }
    }

    /// Hears every event of the store.
    private func listen() async {
        var last: Int64 = 0
        var seen: UInt64 = 0
        let judge = Judge(world: self)
        while !Task.isCancelled {
            do {
                seen = try await store.waitForChange(after: seen, timeout: .seconds(60))
                let events = try await store.events(EventQuery(after: last, limit: 1000))
                for event in events { hear(event) }
                await judge.checkLedger()
                last = events.last?.id ?? last
            } catch { return }
        }
    }

    private func hear(_ event: EventRecord) {
        trace.note(
            .storeEvent, "\(event.kind.rawValue) \(event.name)", "\(event.reason.rawValue): \(event.message)")
        if event.kind == .host { outcomes.heard(event.reason, of: event.name, at: clock.now) }
    }
}

/// Why a world could not be run to its end.
public enum WorldError: Error, Sendable {
    /// Nothing was left to run or to wait for: something left the world's executor.
    case stalled(at: Duration)
}
