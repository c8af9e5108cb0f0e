public import AgentProtocol
public import Fleet
public import Logging
public import Store
internal import Synchronization
public import Telemetry

/// The controllers' side of agent sessions: any controller serves any session, since all state is in the
/// store.
public final class AgentSessions: Sendable {
    private let store: any Store
    private let hub: FeedHub
    private let ids: any IDSource
    public let terms: LeaseTerms
    public let limits: SessionLimits
    private let metrics: MetricRegistry<DaemonMetric>
    private let absence: AbsenceGuard
    private let usageTerms: UsageTerms
    private let questions: LogQuestions
    /// How long a poll waits for more once there is something: one answer then carries what a plan or two
    /// decided.
    private static let gathering = Duration.milliseconds(10)

    /// Hosts that each session carries, as of its last poll here.
    private let carried = Mutex<[ID<AgentSession>: CarriedHosts]>([:])

    private struct CarriedHosts {
        var incarnation: Int
        var hosts: Set<ID<Document>>
        /// Numbers of the assignments that the agent has, of `epoch`: most changes of allocations are what
        /// the agent itself reported, and are no news to it.
        var told: [ID<Document>: Int] = [:]
        var epoch = 0
        /// What the last answer told. The agent has it when it asks on from that answer's cursor.
        var answered: (cursor: String, told: [ID<Document>: Int])?
    }

    public init(
        store: any Store, hub: FeedHub, ids: any IDSource, terms: LeaseTerms,
        limits: SessionLimits = .standard, absence: AbsenceGuard = .standard,
        usageTerms: UsageTerms = .standard,
        metrics: MetricRegistry<DaemonMetric> = MetricRegistry()
    ) {
        self.metrics = metrics
        self.store = store
        self.hub = hub
        self.ids = ids
        self.terms = terms
        self.limits = limits
        self.absence = absence
        self.usageTerms = usageTerms
        questions = LogQuestions(store: store)
    }

    /// Passes questions for output on to polls, until cancelled.
    public func watchQuestions(_ time: Timekeeper, logger: Logger) async {
        await questions.run(time, logger: logger)
    }

    /// An agent answers a question for output.
    public func answer(_ answer: LogAnswer, session: SessionRecord) async throws -> LogReceipt {
        try await store.answer(answer, session: session.id)
        return LogReceipt()
    }

    public func hello(_ request: HelloRequest, session: SessionRecord) async throws -> HelloResponse {
        guard request.hosts.count <= limits.hosts else {
            throw ControlPlaneError.refused(
                code: "request.too_large",
                message: "\(request.hosts.count) hosts in one session; the limit is \(limits.hosts)")
        }
        let outcome = try await store.hello(
            SessionHello(
                session: session.id, hosts: request.hosts, ids: ids, terms: terms, absence: absence))
        metrics.add(.hellos)
        return HelloResponse(
            incarnation: outcome.incarnation, epoch: outcome.epoch, lease: terms, limits: limits,
            refused: outcome.refused)
    }

    public func report(_ request: ReportRequest, session: SessionRecord) async throws -> ReportResponse {
        guard request.parts.count <= limits.partsPerReport else {
            throw ControlPlaneError.refused(
                code: "request.too_large",
                message: "\(request.parts.count) parts in one report; the limit is \(limits.partsPerReport)")
        }
        let epoch = try await store.clusterState().epoch
        if isBehind(session, incarnation: request.incarnation, epoch: epoch) {
            return ReportResponse(acknowledged: request.sequence - 1, epoch: epoch)
        }
        try await takeProgress(request, session: session)
        let refused = try await store.report(
            SessionReport(
                session: session.id, incarnation: request.incarnation, sequence: request.sequence,
                parts: request.parts, unreachable: request.unreachable))
        metrics.add(.reports)
        // Most reports only renew the lease.
        if !request.parts.isEmpty {
            metrics.add(.partsReported, ["taken"], by: Double(request.parts.count - refused.count))
            metrics.add(.partsReported, ["refused"], by: Double(refused.count))
        }
        return ReportResponse(
            acknowledged: request.sequence, epoch: try await store.clusterState().epoch, refused: refused)
    }

    /// Before the report: whoever sees that a part ended sees its last words, too.
    private func takeProgress(_ request: ReportRequest, session: SessionRecord) async throws {
        guard let told = request.progress, session.incarnation == request.incarnation else { return }
        let steps = 0...PartProgress.stepLimit
        let sound = told.prefix(limits.partsPerReport).filter {
            steps.contains($0.step) && steps.contains($0.checkpointStep)
                && ($0.iterationMilliseconds.map { $0.isFinite && $0 >= 0 } ?? true)
        }
        if !sound.isEmpty { try await store.takeProgress(sound, session: session.id) }
    }

    /// An agent tells what its hosts use.
    public func usage(_ request: UsageRequest, session: SessionRecord) async throws -> UsageResponse {
        let bins = request.hosts.reduce(0) { $0 + $1.bins.count }
        guard request.hosts.count <= limits.hosts, bins <= Self.usageBins else {
            throw ControlPlaneError.refused(
                code: "request.too_large",
                message: "\(request.hosts.count) hosts and \(bins) bins in one report of use; the limits are "
                    + "\(limits.hosts) and \(Self.usageBins)")
        }
        let refused = try await store.takeUsage(request.hosts, session: session.id)
        metrics.add(.usageBins, by: Double(bins))
        let cluster = try await store.clusterState()
        let fleet = FleetTerms(
            realOrigin: cluster.realOrigin, fleetOrigin: cluster.fleetOrigin, rate: cluster.fleetRate)
        return UsageResponse(
            intervalSeconds: usageTerms.intervalSeconds, refused: refused, fleet: fleet)
    }

    /// Bins of one report: some 8 MB of JSON, and a copy of well below a second.
    public static let usageBins = 50_000

    /// Whether the database knows less of the session than the session does, because it was restored. Nothing
    /// is taken or told then: the agent says hello once it sees the newer epoch.
    private func isBehind(_ session: SessionRecord, incarnation: Int, epoch: Int) -> Bool {
        session.epoch < epoch || session.incarnation < incarnation
    }

    /// Answers when a host of the session has a new assignment, or after the wait.
    public func poll(_ request: PollRequest, session: SessionRecord) async throws -> PollResponse {
        metrics.add(.sessionPolls)
        defer { metrics.add(.sessionPolls, by: -1) }
        let epoch = try await store.clusterState().epoch
        if isBehind(session, incarnation: request.incarnation, epoch: epoch) {
            return PollResponse(
                cursor: request.cursor ?? FeedCursor(epoch: 0, transaction: 0, sequence: 0).text,
                epoch: epoch,
                assignments: [])
        }
        guard session.incarnation == request.incarnation else { throw ControlPlaneError.superseded }
        guard let text = request.cursor, let asked = FeedCursor(text), asked.epoch == epoch else {
            return try await everything(session)
        }
        let hosts = try await hosts(of: session, fresh: false)
        let told = told(session, cursor: text, epoch: epoch)
        let uptime = hub.time.uptime
        let deadline = uptime() + .seconds(min(max(request.waitSeconds, 0), limits.pollSeconds))
        var cursor = asked
        do {
            while true {
                let (changed, next) = try await changes(after: cursor, among: hosts)
                cursor = next
                let news = try await assignments(changed, known: told)
                if !news.isEmpty {
                    return answer(session, cursor, news)
                }
                let asked = try await questions.take(session.id)
                let left = deadline - uptime()
                if !asked.isEmpty {
                    return PollResponse(
                        cursor: cursor.text, epoch: epoch, assignments: [], questions: asked)
                }
                if left <= .zero { return PollResponse(cursor: cursor.text, epoch: epoch, assignments: []) }
                cursor = try await wait(session, after: cursor, hosts: hosts, timeout: left)
            }
        } catch StoreError.watchExpired {
            return try await everything(session)
        }
    }

    /// Until something changed on the session's hosts or it is asked for output.
    ///
    /// - Returns: where to go on in the feed.
    private func wait(
        _ session: SessionRecord, after cursor: FeedCursor, hosts: Set<ID<Document>>, timeout: Duration
    ) async throws -> FeedCursor {
        let ticket = hub.beginWait(hosts)
        let watch = questions.watch(session.id) { [hub] in hub.endWait(ticket) }
        defer { questions.unwatch(watch) }
        return try await hub.waitForClient(
            ticket, after: cursor, timeout: timeout, gathering: Self.gathering)
    }

    /// Every host of the session, for one that has no usable cursor.
    private func everything(_ session: SessionRecord) async throws -> PollResponse {
        let position = try await store.feedPosition()
        let hosts = try await hosts(of: session, fresh: true)
        return answer(session, position, try await assignments(hosts, known: [:]))
    }

    /// What the agent has of assignments; takes note that it has those of the answer which it asks on from.
    private func told(_ session: SessionRecord, cursor: String, epoch: Int) -> [ID<Document>: Int] {
        carried.withLock { carried in
            guard var known = carried[session.id] else { return [:] }
            if known.epoch != epoch { known.told = [:] }
            if let answered = known.answered, answered.cursor == cursor {
                known.told.merge(answered.told) { $1 }
            }
            known.epoch = epoch
            known.answered = nil
            carried[session.id] = known
            return known.told
        }
    }

    private func answer(
        _ session: SessionRecord, _ cursor: FeedCursor, _ records: [HostAssignmentRecord]
    ) -> PollResponse {
        let told = records.map { ($0.host, $0.generation.number) }
        carried.withLock {
            $0[session.id]?.answered = (cursor.text, Dictionary(told, uniquingKeysWith: { $1 }))
        }
        let assignments = records.map { record in
            let parts = record.allocations.map { PartDirective($0, task: record.tasks[$0.id]) }
            return HostAssignment(
                host: record.name, generation: record.generation, hash: HostAssignment.hash(of: parts),
                parts: parts)
        }
        return PollResponse(cursor: cursor.text, epoch: cursor.epoch, assignments: assignments)
    }

    private func hosts(of session: SessionRecord, fresh: Bool) async throws -> Set<ID<Document>> {
        let known = carried.withLock { $0[session.id] }
        if !fresh, let known, known.incarnation == session.incarnation { return known.hosts }
        let hosts = Set(try await store.hosts(.session(session.id)).map(\.id))
        carried.withLock { $0[session.id] = CarriedHosts(incarnation: session.incarnation, hosts: hosts) }
        return hosts
    }

    private func changes(after cursor: FeedCursor, among hosts: Set<ID<Document>>) async throws
        -> (Set<ID<Document>>, FeedCursor)
    {
        var changed: Set<ID<Document>> = []
        var position = cursor
        while true {
            let page = try await hub.entries(after: position)
            guard !page.entries.isEmpty else { return (changed, position) }
            for entry in page.entries where entry.kind == .allocation {
                if let host = entry.host, hosts.contains(host) { changed.insert(host) }
            }
            position = page.next
        }
    }

    private func assignments(
        _ hosts: Set<ID<Document>>, known: [ID<Document>: Int]
    ) async throws -> [HostAssignmentRecord] {
        try await store.assignments(hosts: hosts.sorted(), known: known)
    }
}

extension PartDirective {
    /// What an agent is told of an allocation. Quarantined ones go on as they are; a released one that is
    /// told of runs still, and stops.
    init(_ allocation: Allocation, task: PartTask?) {
        self.init(
            allocation: allocation.id, workload: allocation.workload,
            action: allocation.state == .reserved || allocation.state == .active ? .run : .stop,
            resources: allocation.resources,
            devices: allocation.devices, onPartition: allocation.onPartition, task: task,
            class: allocation.class)
    }
}
