public import Fleet
public import Logging
public import Store
internal import Synchronization
public import Telemetry

/// Runs the pipelines of the cells that this controller holds leases of, and tries to take the others.
public final class CellSupervisor: Sendable {
    private let holder: String
    private let store: any Store
    private let hub: FeedHub
    private let ids: any IDSource
    private let time: Timekeeper
    private let limits: CellLimits
    private let logger: Logger
    private let metrics: MetricRegistry<DaemonMetric>
    private let signals: SignalBuffer?
    private let usage: any ScopeUsageSource
    private let pipelines = Mutex<[String: CellPipeline]>([:])
    private let leases = Mutex<[String: CellLease]>([:])
    private let trainingTurn = TrainingTurn()

    /// - Parameters:
    ///   - holder: name of this controller, unique in the fleet and for every start of it.
    ///   - signals: keeps spans of cycles and commits; nil keeps none.
    ///   - usage: what ratios are decided from.
    public init(
        holder: String, store: any Store, hub: FeedHub, ids: any IDSource, time: Timekeeper,
        limits: CellLimits, usage: any ScopeUsageSource = UnknownScopeUsage(),
        logger: Logger, metrics: MetricRegistry<DaemonMetric> = MetricRegistry(),
        signals: SignalBuffer? = nil
    ) {
        self.signals = signals
        self.usage = usage
        self.metrics = metrics
        self.holder = holder
        self.store = store
        self.hub = hub
        self.ids = ids
        self.time = time
        self.limits = limits
        self.logger = logger
    }

    /// Runs until cancelled; then `giveBack()` frees the leases.
    public func run() async {
        await withDiscardingTaskGroup { group in
            var watched: Set<String> = []
            while !Task.isCancelled {
                do {
                    let cells = try await store.all(.cell)
                    for name in [CellsReconciler.leaseName] + cells.map(\.metadata.name)
                    where watched.insert(name).inserted {
                        group.addTask { await self.hold(name) }
                    }
                } catch {
                    logger.failure("cells not read", error)
                }
                do { try await time.sleep(limits.renewEvery) } catch { return }
            }
        }
    }

    /// Gives the leases back, so that another controller need not wait until they run out.
    public func giveBack() async {
        for lease in leases.withLock({ $0.values.sorted { $0.cell < $1.cell } }) {
            do {
                try await store.releaseLease(lease)
            } catch {
                logger.failure("lease not given back", error, ["cell": "\(lease.cell)"])
            }
        }
        leases.withLock { $0.removeAll() }
    }

    /// The pipeline of a cell, when it runs here.
    func pipeline(of cell: String) -> CellPipeline? { pipelines.withLock { $0[cell] } }

    /// Takes a cell's lease again and again, and works while it has it.
    private func hold(_ cell: String) async {
        metrics.set(.leaseHeld, [cell], to: 0)
        while !Task.isCancelled {
            do {
                // Whoever holds more cells lets others take the next one first.
                let held = leases.withLock { $0.count }
                if held > 0 { try await time.sleep(limits.renewEvery / 4 * held) }
                if let lease = try await store.acquireLease(
                    cell: cell, holder: holder, duration: limits.lease)
                {
                    logger.notice("lease acquired", metadata: ["cell": "\(cell)", "token": "\(lease.token)"])
                    await work(lease)
                }
                try await time.sleep(limits.renewEvery / 2)
            } catch is CancellationError {
                return
            } catch {
                logger.failure("lease not acquired", error, ["cell": "\(cell)"])
                do { try await time.sleep(limits.renewEvery / 2) } catch { return }
            }
        }
    }

    private func work(_ lease: CellLease) async {
        leases.withLock { $0[lease.cell] = lease }
        metrics.set(.leaseHeld, [lease.cell], to: 1)
        await withTaskGroup { group in
            group.addTask { await self.renew(lease) }
            group.addTask { await self.runPipeline(lease) }
            await group.next()
            group.cancelAll()
        }
        pipelines.withLock { $0[lease.cell] = nil }
        metrics.set(.leaseHeld, [lease.cell], to: 0)
        metrics.forget(cell: lease.cell)
        guard !Task.isCancelled else { return }
        // Once, and whoever saw it first: the renewal, or a commit that was refused.
        logger.warning("lease lost", metadata: ["cell": "\(lease.cell)", "token": "\(lease.token)"])
        metrics.add(.leasesLost, [lease.cell])
        leases.withLock { $0[lease.cell] = nil }
    }

    private func runPipeline(_ lease: CellLease) async {
        do {
            if lease.cell == CellsReconciler.leaseName {
                try await runFleet(lease)
            } else {
                let pipeline = CellPipeline(
                    lease: lease, store: store, hub: hub, ids: ids, time: time, limits: limits,
                    usage: usage, logger: logger, metrics: metrics, signals: signals)
                pipelines.withLock { $0[lease.cell] = pipeline }
                try await run(pipeline, lease)
            }
        } catch is CancellationError {
            return
        } catch {
            logger.failure("cell left", error, ["cell": "\(lease.cell)"])
        }
    }

    /// A cell's plans, and beside them its models; it all ends with the lease.
    private func run(_ pipeline: CellPipeline, _ lease: CellLease) async throws {
        let retrainer = ModelRetrainer(
            lease: lease, store: store, ids: ids, time: time, limits: limits, turn: trainingTurn,
            logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await pipeline.run() }
            group.addTask(priority: .background) { try await retrainer.run() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// What is done once in the fleet and not per cell; it all ends with the lease.
    private func runFleet(_ lease: CellLease) async throws {
        let cells = CellsReconciler(lease: lease, store: store, hub: hub, time: time, logger: logger)
        let groups = VMGroupsReconciler(
            lease: lease, store: store, hub: hub, ids: ids, time: time, logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await cells.run() }
            group.addTask { try await groups.run() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the lease is lost.
    private func renew(_ lease: CellLease) async {
        while true {
            do {
                try await time.sleep(limits.renewEvery)
                guard try await store.renewLease(lease, duration: limits.lease) else { return }
            } catch is CancellationError {
                return
            } catch {
                // The store decides at the next commit whether the lease still counts.
                logger.failure("lease not renewed", error, ["cell": "\(lease.cell)"])
            }
        }
    }
}
