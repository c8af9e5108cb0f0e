internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Logging
internal import PostgresClient
internal import Store

/// Flags that every subcommand takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("YAML file with settings.", valueName: "file"))
    var config: String?
    @Option(help: ArgumentHelp("Database: postgresql:// URI or libpq keywords.", valueName: "uri"))
    var database: String?
    @Option(
        help: ArgumentHelp("Directory of keys, the admin token and the private Postgres.", valueName: "dir"))
    var dataDirectory: String?
    @Option(help: ArgumentHelp("Directory with the schema's SQL files.", valueName: "dir"))
    var migrations: String?

    func settings() throws -> Settings {
        var settings = try Settings.read(file: config, environment: ProcessInfo.processInfo.environment)
        settings.database = database ?? settings.database
        settings.dataDirectory = dataDirectory ?? settings.dataDirectory
        settings.migrations = migrations ?? settings.migrations
        return settings
    }
}

extension Settings {
    /// The clock, ids and randomness of the operating system: the only place where the daemon takes them.
    static let wallClock: @Sendable () -> Timestamp = {
        Timestamp(seconds: Date().timeIntervalSince1970)
    }

    static let ids = TimeOrderedIDSource(now: wallClock, entropy: { UUID() })

    func logger() throws -> Logger {
        guard let level = Logger.Level(rawValue: logLevel) else {
            let choices = Logger.Level.allCases.map(\.rawValue)
            let nearest =
                NearestChoice.of(logLevel, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
            throw SettingsError("logLevel is \"\(logLevel)\"\(nearest)")
        }
        var logger = Logger(label: "basaltd")
        logger.logLevel = level
        return logger
    }

    /// How the database is reached: as told, or over the private cluster of the data directory.
    func databaseConfiguration(logger: Logger) throws -> PostgresConfiguration {
        if let database {
            return PostgresConfiguration(endpoint: .connectionString(Secret(database)))
        }
        guard let dataDirectory else {
            throw SettingsError("no database: give --database URI, or --dev for a private one")
        }
        return DataDirectory(dataDirectory).cluster(logger: logger).configuration
    }

    func store(logger: Logger, hold: PostgresStore.CommitHold? = nil) throws -> PostgresStore {
        var configuration = try databaseConfiguration(logger: logger)
        configuration.applicationName = "basaltd"
        configuration.session = PostgresStore.sessionSettings(
            idleInTransaction: .seconds(cellLeaseSeconds / 3))
        let pool = PostgresPool(
            configuration: configuration,
            pool: PoolConfiguration(minimumConnections: 2, maximumConnections: 16, queueLimit: 4096),
            jitter: .system, logger: logger)
        return PostgresStore(
            pool: pool, origin: UUID().uuidString, logger: logger, jitter: .system, commitHold: hold)
    }

    /// The schema's files: as told, beside the installed program, or in the source tree it was built in.
    func migrationFiles() throws -> [Migration] {
        let files = FileManager.default
        if let migrations { return try Migration.read(from: URL(filePath: migrations)) }
        let executable = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var places = [executable.deletingLastPathComponent().appending(path: "../share/basalt/migrations")]
        var directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        while directory.path != "/" {
            places.append(directory.appending(path: "Migrations"))
            directory.deleteLastPathComponent()
        }
        let found = places.first { files.fileExists(atPath: $0.appending(path: "0001_core.sql").path) }
        guard let found else {
            throw SettingsError("the schema's files were not found; give --migrations DIR")
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
