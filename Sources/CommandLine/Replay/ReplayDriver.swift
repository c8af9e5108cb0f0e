internal import APITypes
public import Client
internal import Fleet
public import Replay

/// Drives a live control plane with a schedule: creates VMs when they arrive, deletes them when they leave,
/// paced by the fleet clock.
///
/// Every creation carries an idempotency key made from run and VM, so a request repeated after a controller
/// died does no more than one. A VM that exists already with the mark of the same run counts as created; so
/// does a deletion that finds nothing.
public struct ReplayDriver: Sendable {
    public struct Options: Sendable {
        /// Id of the run; the same id goes on with a run that was stopped.
        public var run: String
        public var project: String
        public var cell: String?
        public var pool: String?
        /// Fleet seconds per second; nil follows the control plane's fleet clock.
        public var rate: Double?
        /// Requests under way at once, at least 1.
        public var concurrency: Int

        public init(
            run: String, project: String, cell: String? = nil, pool: String? = nil, rate: Double? = nil,
            concurrency: Int = 32
        ) {
            self.run = run
            self.project = project
            self.cell = cell
            self.pool = pool
            self.rate = rate
            self.concurrency = concurrency
        }
    }

    /// Annotation that marks a VM as one of a run.
    public static let runAnnotation = "replay-run"
    /// How often the fleet is looked at, for the fleet clock and the progress line.
    static let lookInterval = Duration.seconds(2)
    /// Longest pause between two looks at the schedule.
    static let longestPause = Duration.seconds(1)

    private let client: RESTClient
    private let options: Options
    private let seams: ClientSeams
    private let uptime: @Sendable () -> Duration

    /// - Parameters:
    ///   - client: one that is patient, see `RetryPolicy.persistent`, with a connection for each request
    ///     under way.
    ///   - uptime: a clock that only goes forward.
    public init(
        _ client: RESTClient, options: Options, seams: ClientSeams, uptime: @escaping @Sendable () -> Duration
    ) {
        self.client = client
        self.options = options
        self.seams = seams
        self.uptime = uptime
    }

    /// A step that was answered.
    struct Done: Sendable {
        var step: ReplaySchedule.Step
        var latency: Duration
        /// In words; nil when it succeeded.
        var failure: String?
    }

    private enum Completion: Sendable {
        case step(Done)
        case tick
        case look(ClusterSummary?)
        case cancelled
    }

    /// What a run keeps in mind.
    private struct State {
        var queue: ReplayQueue
        var pace: FleetPace
        var tally = ReplayTally()
        var cluster: ClusterSummary?
        var underWay = 0
        var isTicking = false
        var lag = Duration.zero
    }

    /// Runs the schedule to its end, or until the task is cancelled.
    ///
    /// - Parameter onProgress: called after every event of the run.
    /// - Throws: `ClientError` when the control plane does not answer at the start.
    public func run(
        _ schedule: ReplaySchedule, onProgress: (ReplayProgress) -> Void
    ) async throws -> ReplaySummary {
        let cluster = try await client.cluster()
        let start = uptime()
        let pace =
            options.rate.map { FleetPace(rate: $0, uptime: start) } ?? FleetPace(cluster, uptime: start)
        var state = State(queue: ReplayQueue(schedule), pace: pace, cluster: cluster)
        let isFinished = await withTaskGroup(of: Completion.self) { group in
            group.addTask { await self.look() }
            while !Task.isCancelled, issue(&state, &group) {
                guard let completion = await group.next() else { break }
                take(completion, &state, &group)
                onProgress(progress(state, schedule))
            }
            group.cancelAll()
            return !Task.isCancelled
        }
        return summary(state, seconds: (uptime() - start).inSeconds, interrupted: !isFinished)
    }

    /// Sends what is due as far as there is room, and sets a timer for what comes next.
    ///
    /// - Returns: false when nothing is left to do.
    private func issue(_ state: inout State, _ group: inout TaskGroup<Completion>) -> Bool {
        let now = uptime()
        let elapsed = state.pace.elapsed(at: now)
        while state.underWay < options.concurrency, let step = state.queue.next(dueAt: elapsed) {
            state.lag = max(state.lag, elapsed - step.at)
            state.underWay += 1
            group.addTask { await self.perform(step) }
        }
        guard let next = state.queue.nextTime else { return state.underWay > 0 }
        if state.underWay < options.concurrency, !state.isTicking {
            state.isTicking = true
            let pause = min(state.pace.wait(until: next, from: now), Self.longestPause)
            group.addTask { await self.pause(pause) }
        }
        return true
    }

    private func take(_ completion: Completion, _ state: inout State, _ group: inout TaskGroup<Completion>) {
        switch completion {
        case .step(let done):
            state.underWay -= 1
            state.tally.add(done)
            if case .create = done.step.action {
                state.queue.created(done.step.vm, exists: done.failure == nil)
            }
        case .tick: state.isTicking = false
        case .look(let cluster):
            if let cluster {
                state.cluster = cluster
                state.pace.follow(cluster, uptime: uptime())
            }
            group.addTask { await self.look() }
        case .cancelled: break
        }
    }

    private func pause(_ duration: Duration) async -> Completion {
        do {
            try await seams.sleep(duration)
            return .tick
        } catch {
            return .cancelled
        }
    }

    private func look() async -> Completion {
        do {
            try await seams.sleep(Self.lookInterval)
            return .look(try await client.cluster())
        } catch is CancellationError {
            return .cancelled
        } catch {
            return .look(nil)
        }
    }

    private func perform(_ step: ReplaySchedule.Step) async -> Completion {
        let start = uptime()
        var failure: String?
        do {
            switch step.action {
            case .create(let resources): try await create(step.vm, resources)
            case .delete: try await delete(step.vm)
            }
        } catch is CancellationError {
            return .cancelled
        } catch {
            failure = "\(error)"
        }
        return .step(Done(step: step, latency: uptime() - start, failure: failure))
    }

    private var collection: Collection { Collection(.vm, project: options.project) }

    private func create(_ name: String, _ resources: Resources) async throws {
        let spec = VMSpec(cell: options.cell, pool: options.pool, resources: resources)
        let draft = WireDraft(
            kind: Kind.vm.rawValue,
            metadata: .init(name: name, annotations: [Self.runAnnotation: options.run]),
            spec: try Serialization.tree(spec))
        do {
            _ = try await client.create(draft, in: collection, key: "replay-\(options.run)-\(name)")
        } catch let error as ClientError where error.isProblem(.alreadyExists) {
            let existing = try await client.find(name, in: collection)
            // Gone again means that it was there: another attempt of this run saw it through.
            guard let existing else { return }
            guard existing.metadata.annotations[Self.runAnnotation] == options.run else { throw error }
        }
    }

    private func delete(_ name: String) async throws {
        do {
            _ = try await client.delete(name, in: collection)
        } catch let error as ClientError where error.isProblem(.notFound) || error.isProblem(.beingDeleted) {
            return
        }
    }

    private func progress(_ state: State, _ schedule: ReplaySchedule) -> ReplayProgress {
        let left = state.pace.wait(until: schedule.lastCreation, from: uptime())
        return ReplayProgress(
            total: schedule.count, created: state.tally.created, deleted: state.tally.deleted,
            errors: state.tally.errors, running: state.cluster?.running, pending: state.cluster?.pending,
            remainingSeconds: left.inSeconds)
    }

    private func summary(_ state: State, seconds: Double, interrupted: Bool) -> ReplaySummary {
        let latencies = state.tally.latencies
        return ReplaySummary(
            run: options.run, created: state.tally.created, deleted: state.tally.deleted,
            errors: state.tally.errors, skipped: state.queue.skipped, retried: client.retries,
            latencyP50Ms: latencies.p50, latencyP99Ms: latencies.p99,
            seconds: (seconds * 1000).rounded() / 1000,
            lagSeconds: (state.lag.inSeconds * 1000).rounded() / 1000, running: state.cluster?.running,
            pending: state.cluster?.pending, interrupted: interrupted, samples: state.tally.samples)
    }
}

extension ClusterSummary {
    fileprivate var running: Int { cells.reduce(0) { $0 + $1.runningVMs } }
    fileprivate var pending: Int { cells.reduce(0) { $0 + $1.pendingVMs } }
}
