internal import API
internal import AgentProtocol
internal import Control
internal import Foundation
internal import Logging
internal import PostgresClient
internal import ProgramShell
internal import Settings
internal import Store
internal import Telemetry

/// The settings of a daemon.
typealias DaemonSettings = EffectiveSettings<DaemonSetting>

extension DaemonSettings {
    func logger(keepingIn signals: SignalBuffer? = nil) -> Logger {
        let format = text(.logFormat).flatMap(LogFormat.init(rawValue:)) ?? .logfmt
        let level = text(.logLevel).flatMap(Logger.Level.init(rawValue:)) ?? .info
        return Logger(label: "basaltd") { _ in
            let lines = LineLogHandler(format: format, level: level, now: SystemSeams.now)
            guard let signals else { return lines }
            return SignalLogHandler(lines, into: signals, now: SystemSeams.now)
        }
    }

    /// The database as told; nil when it is the private cluster of the data directory.
    func database() throws -> String? { try text(.database) ?? contents(.databaseFile) }

    /// How the database is reached: as told, or over the private cluster of the data directory.
    func databaseConfiguration(logger: Logger) throws -> PostgresConfiguration {
        if let database = try database() {
            return PostgresConfiguration(endpoint: .connectionString(Secret(database)))
        }
        guard let path = text(.dataDirectory) else {
            throw SettingsError("no database: set database or databaseFile, or give --dev for a private one")
        }
        return DataDirectory(path).cluster(logger: logger).configuration
    }

    /// Length of a cell lease and how often it is renewed: a third of it, so that two renewals may be lost.
    var cellLease: (length: Duration, renewEvery: Duration) {
        let length = number(.cellLeaseSeconds) ?? 6
        return (.seconds(length), .seconds(number(.cellRenewSeconds) ?? length / 3))
    }

    /// How much of a session must be missing from a hello not to be believed.
    var absence: AbsenceGuard {
        AbsenceGuard(
            fraction: number(.absenceFraction) ?? AbsenceGuard.standard.fraction,
            fewest: count(.absenceFewest) ?? AbsenceGuard.standard.fewest)
    }

    var usageTerms: UsageTerms {
        UsageTerms(intervalSeconds: number(.usageIntervalSeconds) ?? UsageTerms.standard.intervalSeconds)
    }

    /// How long use is kept.
    var usageRetention: UsageWatch.Retention {
        func days(_ setting: DaemonSetting, _ standard: Duration) -> Duration {
            count(setting).map { .seconds($0 * 86_400) } ?? standard
        }
        let standard = UsageWatch.Retention.standard
        return UsageWatch.Retention(
            bins: days(.usageBinDays, standard.bins), hours: days(.usageHourDays, standard.hours))
    }

    /// What healing asks a person about.
    func heal(_ limits: inout CellLimits) {
        limits.breaker = number(.breakerFraction) ?? limits.breaker
        limits.flaps = count(.flaps) ?? limits.flaps
        limits.flapWindow = number(.flapWindowSeconds).map { .seconds($0) } ?? limits.flapWindow
    }

    /// How much the API takes from one caller.
    var trafficLimits: TrafficLimits {
        func limit(_ rate: DaemonSetting, _ burst: DaemonSetting, _ standard: RateLimit) -> RateLimit {
            RateLimit(perSecond: number(rate) ?? standard.perSecond, burst: number(burst) ?? standard.burst)
        }
        var limits = TrafficLimits()
        limits.token = limit(.tokenRequestsPerSecond, .tokenRequestBurst, limits.token)
        limits.agentSession = limit(.agentRequestsPerSecond, .agentRequestBurst, limits.agentSession)
        limits.address = limit(.addressRequestsPerSecond, .addressRequestBurst, limits.address)
        limits.connections = count(.maxConnections) ?? limits.connections
        return limits
    }

    func pool(logger: Logger) throws -> PostgresPool {
        var configuration = try databaseConfiguration(logger: logger)
        configuration.applicationName = "basaltd"
        configuration.session = PostgresStore.sessionSettings(idleInTransaction: cellLease.length / 3)
        return PostgresPool(
            configuration: configuration,
            pool: PoolConfiguration(
                minimumConnections: 2, maximumConnections: count(.databaseConnections) ?? 16, queueLimit: 4096
            ),
            jitter: .system, logger: logger)
    }

    static func store(
        _ pool: PostgresPool, logger: Logger, hold: PostgresStore.CommitHold? = nil
    ) -> PostgresStore {
        PostgresStore(
            pool: pool, origin: UUID().uuidString, logger: logger, jitter: .system, commitHold: hold)
    }

    /// The schema's files: as told, beside the installed program, or in the source tree it was built in.
    func migrationFiles() throws -> [Migration] {
        let files = FileManager.default
        if let migrations = text(.migrations) { return try Migration.read(from: URL(filePath: migrations)) }
        let executable = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var places = [executable.deletingLastPathComponent().appending(path: "../share/basalt/migrations")]
        var directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        while directory.path != "/" {
            places.append(directory.appending(path: "Migrations"))
            directory.deleteLastPathComponent()
        }
        let found = places.first { files.fileExists(atPath: $0.appending(path: "0001_core.sql").path) }
        guard let found else {
            throw SettingsError("the schema's files were not found; set migrations to their directory")
        }
        return try Migration.read(from: found)
    }

    /// Brings the schema up to date. - Returns: numbers of the migrations that were applied.
    func migrate(logger: Logger) async throws -> MigrationReport {
        let runner = try MigrationRunner(try migrationFiles(), logger: logger)
        let connection = try await PostgresConnection.connect(
            try databaseConfiguration(logger: logger), logger: logger)
        do {
            let report = try await runner.run(on: connection)
            await connection.close()
            return report
        } catch {
            await connection.close()
            throw error
        }
    }
}
