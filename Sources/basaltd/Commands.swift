internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Logging
internal import PostgresClient
internal import ProgramShell
internal import ServiceLifecycle
internal import Settings
internal import Store
internal import UnixSignals

/// `basaltd init`: what a data directory needs, without serving.
struct Initialize: SettledCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make certificates and the admin token, and bring the schema up to date.")

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        let settings = try settings(flags)
        let logger = settings.logger()
        if let path = settings.text(.dataDirectory) { try DataDirectory(path).prepare() }
        let report = try await settings.migrate(logger: logger)
        logger.notice("initialised", metadata: ["schema": "\(report.schemaNumber)"])
    }
}

/// `basaltd migrate`: brings the schema up to date; repeating it changes nothing.
struct Migrate: SettledCommand {
    static let configuration = CommandConfiguration(abstract: "Bring the schema up to date.")

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        let settings = try settings(flags)
        let logger = settings.logger()
        let report = try await settings.migrate(logger: logger)
        logger.notice(
            "migrated", metadata: ["applied": "\(report.applied.count)", "schema": "\(report.schemaNumber)"])
    }
}

/// `basaltd database`: only the private Postgres of a data directory, for several daemons to share.
struct Database: SettledCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the private Postgres of a data directory until stopped.")

    @Option(help: ArgumentHelp("Create this file once the schema is up to date.", valueName: "file"))
    var readyFile: String?

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        let settings = try settings(flags)
        guard let path = settings.text(.dataDirectory) else {
            throw SettingsError("dataDirectory is not set; it says where the private Postgres is")
        }
        let logger = settings.logger()
        let directory = DataDirectory(path)
        try directory.prepare()
        let cluster = directory.cluster(logger: logger)
        _ = try await cluster.start()
        _ = try await settings.migrate(logger: logger)
        if let readyFile { try PrivateFile.write("ready\n", to: URL(filePath: readyFile), mode: 0o644) }
        let duty = Duty("postgres") {
            do { try await cluster.waitUntilExit() } catch is CancellationError { return }
            throw SettingsError("Postgres has ended")
        }
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: duty)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
            )
        ).run()
        try await cluster.stop()
    }
}

/// `basaltd restore-epoch`: after the database was restored from a backup.
struct RestoreEpoch: SettledCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-epoch",
        abstract:
            "Raise the epoch after a restore: agents report what they run, and nothing is stopped for absence."
    )

    @Option(help: ArgumentHelp("How long absence stops nothing.", valueName: "seconds"))
    var quarantineSeconds: Double?

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        let settings = try settings(flags)
        let logger = settings.logger()
        let store = DaemonSettings.store(try settings.pool(logger: logger), logger: logger)
        let quarantine = Duration.seconds(quarantineSeconds ?? settings.number(.quarantineSeconds) ?? 600)
        let epoch = try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask {
                await store.run()
                return nil
            }
            group.addTask { try await store.raiseEpoch(quarantine: quarantine) }
            defer { group.cancelAll() }
            while let result = try await group.next() { if let result { return result } }
            throw SettingsError("the store ended early")
        }
        logger.notice("epoch raised", metadata: ["epoch": "\(epoch)"])
    }
}
