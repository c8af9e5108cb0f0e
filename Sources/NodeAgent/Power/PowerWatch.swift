public import AgentProtocol
internal import Fleet
public import Logging
public import Oversubscription
public import ServiceLifecycle
internal import Synchronization

/// Keeps rows of servers within their power: measures every two seconds and sends what the guards ask for.
///
/// Like the guards of cores it is here and not with the controllers: a row is over its power within seconds.
public final class PowerWatch: Service {
    /// How a watch works.
    public struct Configuration: Sendable {
        public var settings: PowerSettings
        public var interval: Duration
        /// File that keeps the guards over a restart.
        public var guardFile: String

        public init(
            settings: PowerSettings = .init(), interval: Duration = .seconds(2), guardFile: String
        ) {
            self.settings = settings
            self.interval = interval
            self.guardFile = guardFile
        }
    }

    private let configuration: Configuration
    private let control: any PowerControl
    private let clock: any AgentClock
    private let logger: Logger
    private let file: GuardFile<PowerGuard>
    private let state: Mutex<PowerState>

    public init(
        configuration: Configuration, control: any PowerControl, clock: any AgentClock, logger: Logger
    ) {
        self.configuration = configuration
        self.control = control
        self.clock = clock
        self.logger = logger
        file = GuardFile(path: configuration.guardFile, what: "power", logger: logger)
        state = Mutex(PowerState(configuration.settings, guards: file.read()))
    }

    /// What the guards did and nobody was told yet, by host.
    public func takeNotes() -> [String: [GuardNote]] { state.withLock { $0.takeNotes() } }

    /// Works until graceful shutdown or cancellation.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.operate() }
        } catch is CancellationError {
            return
        }
    }

    private func operate() async throws {
        // What was slowed before may not be any more, or may be since: it is said again.
        let now = Int(clock.wallTime().seconds)
        for (row, powerGuard) in state.withLock({ $0.guards }).sorted(by: { $0.key < $1.key }) {
            await send(powerGuard.standing(at: now), row)
        }
        var next = clock.now()
        while true {
            next = max(next.advanced(by: configuration.interval), clock.now())
            try await clock.sleep(until: next)
            await look()
        }
    }

    private func look() async {
        do {
            for reading in try await control.rows() {
                let now = Int(clock.wallTime().seconds)
                let (commands, guards) = state.withLock { ($0.take(reading, now: now), $0.guards) }
                guard !commands.isEmpty else { continue }
                // Before anything is slowed, so that a restart knows of it.
                file.write(guards)
                for command in commands { log(command, reading) }
                await send(commands, reading.row)
            }
        } catch {
            logger.warning("power cannot be measured", metadata: ["error": "\(error)"])
        }
    }

    private func send(_ commands: [PowerCommand], _ row: String) async {
        guard !commands.isEmpty else { return }
        do {
            try await control.send(commands, row: row)
        } catch {
            logger.error("GPUs are not slowed", metadata: ["row": "\(row)", "error": "\(error)"])
        }
    }

    private func log(_ command: PowerCommand, _ reading: RowReading) {
        logger.notice(
            "power guard",
            metadata: [
                "row": "\(reading.row)", "power": "\(reading.power)", "rung": "\(command.after)",
                "action": "\(command.action)",
            ])
    }
}
