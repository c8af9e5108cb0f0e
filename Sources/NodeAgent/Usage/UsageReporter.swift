public import AgentProtocol
internal import Fleet
public import Logging
public import Oversubscription
public import ServiceLifecycle

/// Measures use, guards the cores of the session's hosts and tells the controllers.
///
/// The guards are here and not with the controllers: what holds VMs back has to work while no controller can
/// be reached. Freezing, moving and stopping VMs are the controllers' to do, and are only asked for.
public final class UsageReporter: Service {
    /// How a reporter works.
    public struct Configuration: Sendable {
        public var settings: GuardSettings
        /// Length of bins.
        public var binSeconds: Int
        /// Until the first answer of a controller says otherwise.
        public var interval: Duration
        /// File that keeps the guards over a restart.
        public var guardFile: String

        public init(
            settings: GuardSettings = .init(), binSeconds: Int = 300, interval: Duration = .seconds(5),
            guardFile: String
        ) {
            self.settings = settings
            self.binSeconds = binSeconds
            self.interval = interval
            self.guardFile = guardFile
        }
    }

    private let configuration: Configuration
    private let source: any UsageSource
    private let sink: any UsageSink
    private let throttle: (any UsageThrottle)?
    private let power: PowerWatch?
    private let clock: any AgentClock
    private let file: GuardFile<NodeGuard>
    private let logger: Logger

    /// - Parameters:
    ///   - throttle: nil where VMs cannot be held back; the guards then only freeze and ask.
    ///   - power: whose acts are told along; nil where nothing keeps rows within their power.
    public init(
        configuration: Configuration, source: any UsageSource, sink: any UsageSink,
        throttle: (any UsageThrottle)?, power: PowerWatch? = nil, clock: any AgentClock, logger: Logger
    ) {
        self.configuration = configuration
        self.source = source
        self.sink = sink
        self.throttle = throttle
        self.power = power
        self.clock = clock
        file = GuardFile(path: configuration.guardFile, what: "cores", logger: logger)
        self.logger = logger
    }

    /// Works until graceful shutdown or cancellation.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.operate() }
        } catch is CancellationError {
            return
        }
    }

    private func operate() async throws {
        let guards = file.read()
        var settings = configuration.settings
        settings.canThrottle = throttle != nil
        if throttle == nil { logger.notice("VMs cannot be held back here: guards freeze hosts and ask") }
        var state = UsageState(settings, binSeconds: configuration.binSeconds, guards: guards)
        // What was held back before is held back again: the runtime may have been started anew.
        for host in guards.keys.sorted() { await apply(state.quotas(of: host), host) }
        var interval = configuration.interval
        // Bins go by a clock that the controllers tell.
        var fleet: FleetTerms?
        var next = clock.now()
        while true {
            next = max(next.advanced(by: interval), clock.now())
            try await clock.sleep(until: next)
            let samples = try await measure()
            let wall = clock.wallTime()
            let events = state.take(
                samples, now: Int(wall.seconds), fleetNow: fleet?.seconds(at: wall))
            if !events.isEmpty { file.write(state.guards) }
            for host in Set(events.map(\.host)).sorted() { await apply(state.quotas(of: host), host) }
            for (host, event) in events { log(event, host) }
            if let power { state.add(power.takeNotes()) }
            guard let report = state.report(of: samples.map(\.host)) else { continue }
            guard let answer = try await tell(report, within: interval) else { continue }
            state.reported()
            fleet = answer.fleet ?? .real
            interval = .seconds(min(max(answer.intervalSeconds, 0.1), 60))
        }
    }

    /// Nothing when nothing can be measured; the guards then see that time passes.
    private func measure() async throws -> [HostSample] {
        do {
            return try await source.sample()
        } catch let error as CancellationError {
            throw error
        } catch {
            logger.warning("use cannot be measured", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// The answer; nil where there is none in time: the next report tells the same and more.
    private func tell(_ report: UsageRequest, within limit: Duration) async throws -> UsageResponse? {
        let (sink, clock) = (sink, clock)
        do {
            return try await withThrowingTaskGroup(of: UsageResponse?.self) { group in
                group.addTask { try await sink.usage(report) }
                group.addTask {
                    try await clock.sleep(until: clock.now().advanced(by: max(limit, .seconds(1))))
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            logger.debug("use not told", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func apply(_ quotas: [PartKey: Double], _ host: String) async {
        guard let throttle else { return }
        do {
            try await throttle.setQuotas(quotas, host: host)
        } catch {
            logger.error("VMs are not held back", metadata: ["host": "\(host)", "error": "\(error)"])
        }
    }

    private func log(_ event: GuardEvent, _ host: String) {
        logger.notice(
            "guard",
            metadata: [
                "host": "\(host)", "rung": "\(event.after)", "cause": "\(event.cause.rawValue)",
                "action": "\(event.action.map { "\($0)" } ?? "none")",
            ])
    }
}
