public import Foundation
public import Logging

/// A PostgreSQL server of one's own: made, started, adopted and stopped by its user, reached by a Unix
/// socket only.
///
/// The server lives in a session of its own, so it outlives whoever started it; the next `start()` on the
/// same data directory adopts it.
public actor PrivateCluster {
    public struct Options: Sendable {
        /// The data directory; made if it does not exist. It belongs to the server's user alone.
        public var dataDirectory: URL
        /// Where `initdb` and `pg_ctl` are; nil searches.
        public var binaryDirectory: URL?
        /// The user that runs the server when the caller is root, which PostgreSQL refuses to run as.
        public var unprivilegedUser: String
        /// The database superuser.
        public var superuser: String
        /// Lines for postgresql.conf, as `max_connections = 200`. They take effect when the server starts.
        public var settings: [String]
        /// From start to readiness, recovery after a crash included.
        public var startTimeout: Duration
        /// Until a stopping server is gone.
        public var stopTimeout: Duration

        public init(
            dataDirectory: URL,
            binaryDirectory: URL? = nil,
            unprivilegedUser: String = "postgres",
            superuser: String = "postgres",
            settings: [String] = [],
            startTimeout: Duration = .seconds(60),
            stopTimeout: Duration = .seconds(30)
        ) {
            self.dataDirectory = dataDirectory
            self.binaryDirectory = binaryDirectory
            self.unprivilegedUser = unprivilegedUser
            self.superuser = superuser
            self.settings = settings
            self.startTimeout = startTimeout
            self.stopTimeout = stopTimeout
        }
    }

    public enum StopMode: String, Sendable, Hashable {
        /// Ends sessions, writes everything out.
        case fast
        /// Ends at once; the next start recovers from the log.
        case immediate
    }

    /// What `start` found.
    public enum StartOutcome: Sendable, Hashable {
        case started
        /// A server on this data directory was already running.
        case adopted
    }

    let options: Options
    let logger: Logger
    let layout: ClusterLayout
    private var postmaster: PostmasterProcess?

    public init(_ options: Options, logger: Logger) {
        self.options = options
        self.logger = logger
        layout = ClusterLayout(dataDirectory: options.dataDirectory)
    }

    /// How to reach the server; valid whether it runs or not.
    public nonisolated var configuration: PostgresConfiguration {
        PostgresConfiguration(
            endpoint: .socketDirectory(layout.socketDirectory, port: ClusterLayout.port),
            database: "postgres",
            user: options.superuser)
    }

    /// The postmaster's process id, nil when it does not run.
    public var processID: Int32? {
        postmaster.flatMap { $0.isAlive ? $0.processID : nil }
    }

    public var isRunning: Bool { processID != nil }

    /// Makes the cluster if there is none, starts or adopts the server, and waits until it answers.
    ///
    /// Throws `cluster.binariesNotFound`, `cluster.directory`, `cluster.commandFailed`, `cluster.notReady`.
    @discardableResult
    public func start() async throws -> StartOutcome {
        let deadline = ContinuousClock.now + options.startTimeout
        if let running = PostmasterProcess.find(dataDirectory: layout.dataDirectory) {
            postmaster = running
            try await waitUntilReady(deadline)
            return .adopted
        }
        let commands = try ClusterCommands(options: options)
        try layout.checkAncestors(owner: commands.owner)
        try layout.makeSocketDirectory(owner: commands.owner)
        if !layout.isInitialized { try await initialize(commands) }
        try layout.writeSettings(options.settings, owner: commands.owner)
        try await launch(commands, deadline)
        try await waitUntilReady(deadline)
        return .started
    }

    /// Stops the server and waits until it is gone; nothing happens when it does not run.
    public func stop(_ mode: StopMode = .fast) async throws {
        guard let running = postmaster ?? PostmasterProcess.find(dataDirectory: layout.dataDirectory),
            running.isAlive
        else { return }
        let commands = try ClusterCommands(options: options)
        try await commands.run(
            "pg_ctl",
            [
                "stop", "-D", layout.dataDirectory, "-m", mode.rawValue, "-w",
                "-t", String(max(1, options.stopTimeout.components.seconds)),
            ])
        postmaster = nil
    }

    /// Returns when the server has ended, for whatever reason. The server is nobody's child after an
    /// adoption, so its process is looked at in intervals. Throws `CancellationError`.
    public func waitUntilExit(pollInterval: Duration = .milliseconds(200)) async throws {
        guard let postmaster else { return }
        while postmaster.isAlive { try await Task.sleep(for: pollInterval) }
    }

    // MARK: Steps

    private func initialize(_ commands: ClusterCommands) async throws {
        logger.info("making a database cluster", metadata: ["cluster.data": "\(layout.dataDirectory)"])
        // Made aside and renamed, so that a crash half way never leaves a directory that looks complete.
        let staging = layout.stagingDirectory
        try layout.makeStagingDirectory(owner: commands.owner)
        try await commands.run(
            "initdb",
            [
                "-D", staging, "-U", options.superuser, "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--data-checksums",
            ])
        try layout.adoptStagingDirectory()
    }

    /// After a crash the old server's children may hold its shared memory for a moment, so a failed start is
    /// tried again until the deadline.
    private func launch(_ commands: ClusterCommands, _ deadline: ContinuousClock.Instant) async throws {
        let seconds = max(1, options.startTimeout.components.seconds)
        while true {
            try layout.removeStaleLock()
            do {
                try await commands.run(
                    "pg_ctl",
                    [
                        "start", "-D", layout.dataDirectory, "-l", layout.logFile, "-w",
                        "-t", String(seconds),
                    ])
                break
            } catch {
                if PostmasterProcess.find(dataDirectory: layout.dataDirectory) != nil { break }
                guard ContinuousClock.now + .milliseconds(500) < deadline, layout.isLockedByOldServer else {
                    throw error
                }
                logger.warning("the server did not start; trying again")
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        postmaster = PostmasterProcess.find(dataDirectory: layout.dataDirectory)
    }

    private func waitUntilReady(_ deadline: ContinuousClock.Instant) async throws {
        var configuration = configuration
        configuration.connectTimeout = .seconds(5)
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                await connection.close()
                return
            } catch let error as PostgresError {
                guard ContinuousClock.now < deadline, isRunning else {
                    throw PostgresError(
                        .clusterNotReady, "the server does not answer; see \(layout.logFile)",
                        sqlState: error.sqlState, cause: error)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
