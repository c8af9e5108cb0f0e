internal import API
internal import AgentProtocol
internal import ArgumentParser
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Logging
internal import NIOSSL
internal import PostgresClient
internal import ProgramShell
internal import ServiceLifecycle
internal import Settings
internal import Store
internal import Telemetry
internal import UnixSignals

/// `basaltd serve`, the default: API and controllers until SIGTERM or SIGINT.
struct Serve: SettledCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the API and run controllers.")

    @Flag(help: "Run on a private Postgres with certificates and an admin token of its own.")
    var dev = false
    @Option(help: ArgumentHelp("Write the API's address to this file once it is served.", valueName: "file"))
    var readyFile: String?
    @Option(
        help: ArgumentHelp(
            "Fault tests: hold each commit after its lease check while this file exists.", valueName: "file",
            visibility: .hidden))
    var holdCommits: String?

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        let settings = try settings(flags, fallbacks: dev ? [.dataDirectory: ".basalt"] : [:])
        let signals = SignalBuffer()
        let daemon = Daemon(
            settings: settings, ownsDatabase: try dev && settings.database() == nil, readyFile: readyFile,
            holdCommits: holdCommits, terms: .scaled(leaseSeconds: settings.number(.hostLeaseSeconds) ?? 30),
            logger: settings.logger(keepingIn: signals), signals: signals)
        try await daemon.run()
    }
}

/// The services of one daemon and the order in which they stop.
struct Daemon {
    let settings: DaemonSettings
    let ownsDatabase: Bool
    let readyFile: String?
    let holdCommits: String?
    let terms: LeaseTerms
    let logger: Logger
    let signals: SignalBuffer

    /// A drain on SIGTERM must end within 10 s.
    private static let gracePeriod = Duration.seconds(8)
    /// Waits between starts of a private Postgres that does not stay up, doubling, and the longest one.
    private static let restartPause = (first: Duration.milliseconds(250), longest: Duration.seconds(30))

    func run() async throws {
        let tls = try tlsConfiguration()
        let cluster = try await startDatabase()
        do {
            try await serve(tls: tls, cluster: cluster)
        } catch {
            try await cluster?.stop()
            throw error
        }
        try await cluster?.stop()
    }

    private func startDatabase() async throws -> PrivateCluster? {
        if let path = settings.text(.dataDirectory) { try DataDirectory(path).prepare() }
        guard ownsDatabase, let path = settings.text(.dataDirectory) else { return nil }
        let cluster = DataDirectory(path).cluster(logger: logger)
        let outcome = try await cluster.start()
        logger.notice(
            "private Postgres", metadata: ["outcome": "\(outcome)", "directory": "\(path)/postgres"])
        _ = try await settings.migrate(logger: logger)
        return cluster
    }

    private func serve(tls: TLSConfiguration?, cluster: PrivateCluster?) async throws {
        let pool = try settings.pool(logger: logger)
        let store = DaemonSettings.store(pool, logger: logger, hold: hold)
        let time = Timekeeper(
            now: SystemSeams.now, sleep: SystemSeams.sleep,
            uptime: Timekeeper.systemUptime)
        let metrics = MetricRegistry<DaemonMetric>()
        let hub = FeedHub(store: store, time: time, logger: logger, metrics: metrics)
        var limits = CellLimits()
        limits.terms = terms
        (limits.lease, limits.renewEvery) = settings.cellLease
        limits.judgeEvery = .seconds(min(1, terms.renewEverySeconds / 2))
        settings.heal(&limits)
        let supervisor = CellSupervisor(
            holder: controllerName, store: store, hub: hub, ids: SystemSeams.ids, time: time,
            limits: limits, usage: StoredScopeUsage(store: store), logger: logger, metrics: metrics,
            signals: signals)
        var bounds = SessionLimits.standard
        // A poll that hangs on a stalled controller is given up within about a lease.
        bounds.pollSeconds = min(bounds.pollSeconds, terms.leaseSeconds)
        let sessions = AgentSessions(
            store: store, hub: hub, ids: SystemSeams.ids, terms: terms, limits: bounds,
            absence: settings.absence, usageTerms: settings.usageTerms, metrics: metrics)
        let server = APIServer(
            .init(
                store: store, hub: hub, sessions: sessions, supervisor: supervisor, ids: SystemSeams.ids,
                time: time,
                secret: { Secrets.next() }, metrics: metrics,
                gather: { metrics.gather(pool: pool, hub: hub) }, limits: settings.trafficLimits,
                signals: signals))
        guard let address = settings.address(.listen) else { throw SettingsError("listen is not set") }
        let (host, port) = (address.host, address.port)
        let (prepared, preparation) = AsyncStream.makeStream(of: Void.self)
        let application = try server.application(address: host, port: port, tls: tls, logger: logger) {
            port in
            // Who reads the address may use the admin token at once.
            for await _ in prepared {}
            await announce(host: host, port: port, tls: tls != nil)
        }
        let logger = logger
        try await runServices([
            Duty("postgres") { if let cluster { try await keepRunning(cluster, time: time) } },
            Duty("store") { await store.run() },
            Duty("prepare") {
                try await prepare(store)
                preparation.finish()
            },
            Duty("feed") { await hub.run() },
            Duty("questions") { await sessions.watchQuestions(time, logger: logger) },
            Duty("usage") {
                await UsageWatch(
                    store: store, terms: settings.usageTerms, retention: settings.usageRetention, time: time,
                    logger: logger
                ).run()
            },
            Duty("signals") {
                while true {
                    try await time.sleep(SignalBuffer.sampleEvery)
                    metrics.gather(pool: pool, hub: hub)
                    signals.sample(metrics.series, at: time.now())
                }
            },
            Duty("housekeeping") { await Housekeeping(store: store, time: time, logger: logger).run() },
            application,
            // Before the API, which waits for requests under way: another controller plans the sooner, and
            // the leases are back even when that wait is cut short.
            Duty("controllers") {
                await supervisor.run()
            } after: {
                await supervisor.giveBack()
            },
            // The first to stop: polls would keep the API waiting.
            Duty("clients") {
            } after: {
                hub.dismissClients()
            },
        ])
    }

    /// Starts the private Postgres again whenever it ends; connections are made anew as they are needed.
    private func keepRunning(_ cluster: PrivateCluster, time: Timekeeper) async throws {
        var pause = Self.restartPause.first
        while true {
            let since = time.now()
            try await cluster.waitUntilExit()
            if time.now().since(since) > Self.restartPause.longest { pause = Self.restartPause.first }
            logger.error("private Postgres has ended; starting it again", metadata: ["pause": "\(pause)"])
            try await time.sleep(pause)
            pause = min(pause * 2, Self.restartPause.longest)
            do {
                let outcome = try await cluster.start()
                logger.notice("private Postgres", metadata: ["outcome": "\(outcome)"])
            } catch let error as PostgresError {
                logger.error("private Postgres does not start", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Stops in reverse order: the API first, the store last.
    private func runServices(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.gracePeriod
        try await ServiceGroup(configuration: configuration).run()
    }

    /// First admin token and fleet rate of a development control plane.
    private func prepare(_ store: PostgresStore) async throws {
        if let path = settings.text(.dataDirectory) {
            let secret = try DataDirectory(path).adminSecret()
            let token = AccessToken(
                name: "admin", role: .admin, secretHash: Secrets.hash(secret), expiresAt: nil)
            do {
                try await store.createToken(token, context: WriteContext(actor: "basaltd", verb: "bootstrap"))
            } catch StoreError.alreadyExists {
                // Made by an earlier start.
            }
        }
        if let rate = settings.number(.fleetRate) { try await store.setFleetRate(rate) }
        try await store.setQuarantine(.seconds(settings.number(.quarantineSeconds) ?? 600))
    }

    private var controllerName: String {
        let process = ProcessInfo.processInfo
        return "\(settings.text(.name) ?? process.hostName)-\(process.processIdentifier)"
    }

    private func announce(host: String, port: Int, tls: Bool) async {
        let name = host.contains(":") ? "[\(host)]" : host
        let address = "\(tls ? "https" : "http")://\(name):\(port)"
        logger.notice("serving", metadata: ["address": "\(address)", "controller": "\(controllerName)"])
        guard let readyFile else { return }
        do {
            try PrivateFile.write(address + "\n", to: URL(filePath: readyFile), mode: 0o644)
        } catch {
            logger.error("address not written", metadata: ["file": "\(readyFile)", "error": "\(error)"])
        }
    }

    private func tlsConfiguration() throws -> TLSConfiguration? {
        let (certificate, key): (String, String)
        if let certificateFile = settings.text(.tlsCertificate), let keyFile = settings.text(.tlsKey) {
            (certificate, key) = (certificateFile, keyFile)
        } else if let path = settings.text(.dataDirectory) {
            let authority = DataDirectory(path).authority
            try authority.prepare(now: Date())
            (certificate, key) = (authority.certificateFile.path, authority.keyFile.path)
        } else {
            // Loopback only: the settings refuse every other address without a certificate.
            return nil
        }
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
            NIOSSLCertificateSource.certificate($0)
        }
        return .makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
    }

    private var hold: PostgresStore.CommitHold? {
        guard let holdCommits else { return nil }
        return { cell in await CommitHoldFile(path: holdCommits).wait(cell: cell) }
    }
}

/// A task of the daemon that ends when its group shuts down.
struct Duty: Service, CustomStringConvertible {
    let description: String
    private let body: @Sendable () async throws -> Void
    private let after: @Sendable () async -> Void

    /// - Parameter after: runs when the body has ended, while earlier services still run.
    init(
        _ name: String, _ body: @escaping @Sendable () async throws -> Void,
        after: @escaping @Sendable () async -> Void = {}
    ) {
        description = name
        self.body = body
        self.after = after
    }

    func run() async throws {
        let body = body
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // The wanted end.
        }
        // A duty that is done before the group is waits for it: an early return would stop the group.
        try await gracefulShutdown()
        await after()
    }
}
