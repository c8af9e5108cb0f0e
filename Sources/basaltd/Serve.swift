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
internal import ServiceLifecycle
internal import UnixSignals
internal import Store

/// `basaltd serve`, the default: API and controllers until SIGTERM or SIGINT.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the API and run controllers.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Run on a private Postgres with certificates and an admin token of its own.")
    var dev = false
    @Option(
        help: ArgumentHelp("Address and port of the API; port 0 takes a free one.", valueName: "address:port")
    )
    var listen: String?
    @Option(help: ArgumentHelp("PEM file with the server's certificate chain.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("PEM file with the server's key.", valueName: "file"))
    var tlsKey: String?
    @Option(help: ArgumentHelp("Name of this controller in leases and logs.", valueName: "name"))
    var name: String?
    @Option(help: ArgumentHelp("How fast fleet time runs; development only.", valueName: "factor"))
    var fleetRate: Double?
    @Option(help: ArgumentHelp("Length of host leases.", valueName: "seconds"))
    var hostLeaseSeconds: Double?
    @Option(help: ArgumentHelp("Length of cell leases.", valueName: "seconds"))
    var cellLeaseSeconds: Double?
    @Option(help: ArgumentHelp("Write the API's address to this file once it is served.", valueName: "file"))
    var readyFile: String?
    @Option(
        help: ArgumentHelp(
            "Fault tests: hold each commit after its lease check while this file exists.", valueName: "file",
            visibility: .hidden))
    var holdCommits: String?

    func run() async throws {
        var settings = try common.settings()
        settings.listen = listen ?? settings.listen
        settings.tlsCertificate = tlsCertificate ?? settings.tlsCertificate
        settings.tlsKey = tlsKey ?? settings.tlsKey
        settings.name = name ?? settings.name
        settings.fleetRate = fleetRate ?? settings.fleetRate
        settings.hostLeaseSeconds = hostLeaseSeconds ?? settings.hostLeaseSeconds
        settings.cellLeaseSeconds = cellLeaseSeconds ?? settings.cellLeaseSeconds
        if dev, settings.dataDirectory == nil { settings.dataDirectory = ".basalt" }
        let logger = try settings.logger()
        let terms = LeaseTerms.scaled(leaseSeconds: settings.hostLeaseSeconds)
        if let defect = terms.defect { throw SettingsError("hostLeaseSeconds: \(defect)") }
        let daemon = Daemon(
            settings: settings, ownsDatabase: dev && settings.database == nil, readyFile: readyFile,
            holdCommits: holdCommits, terms: terms, logger: logger)
        try await daemon.run()
    }
}

/// The services of one daemon and the order in which they stop.
struct Daemon {
    let settings: Settings
    let ownsDatabase: Bool
    let readyFile: String?
    let holdCommits: String?
    let terms: LeaseTerms
    let logger: Logger

    /// A drain on SIGTERM must end within 10 s.
    private static let gracePeriod = Duration.seconds(8)

    func run() async throws {
        let tls = try tlsConfiguration()
        let cluster = try await startDatabase()
        do {
            try await serve(tls: tls)
        } catch {
            try await cluster?.stop()
            throw error
        }
        try await cluster?.stop()
    }

    private func startDatabase() async throws -> PrivateCluster? {
        if let path = settings.dataDirectory { try DataDirectory(path).prepare() }
        guard ownsDatabase, let path = settings.dataDirectory else { return nil }
        let cluster = DataDirectory(path).cluster(logger: logger)
        let outcome = try await cluster.start()
        logger.notice(
            "private Postgres", metadata: ["outcome": "\(outcome)", "directory": "\(path)/postgres"])
        _ = try await settings.migrate(logger: logger)
        return cluster
    }

    private func serve(tls: TLSConfiguration?) async throws {
        let store = try settings.store(logger: logger, hold: hold)
        let time = Timekeeper(now: Settings.wallClock, sleep: { try await Task.sleep(for: $0) })
        let hub = FeedHub(store: store, time: time, logger: logger)
        var limits = CellLimits()
        limits.terms = terms
        limits.lease = .seconds(settings.cellLeaseSeconds)
        limits.renewEvery = .seconds(settings.cellLeaseSeconds / 3)
        limits.judgeEvery = .seconds(min(1, terms.renewEverySeconds / 2))
        let supervisor = CellSupervisor(
            holder: controllerName, store: store, hub: hub, ids: Settings.ids, time: time, limits: limits,
            logger: logger)
        var bounds = SessionLimits.standard
        // A poll that hangs on a stalled controller is given up within about a lease.
        bounds.pollSeconds = min(bounds.pollSeconds, terms.leaseSeconds)
        let sessions = AgentSessions(
            store: store, hub: hub, ids: Settings.ids, terms: terms, limits: bounds)
        let server = APIServer(
            .init(
                store: store, hub: hub, sessions: sessions, supervisor: supervisor, ids: Settings.ids,
                time: time,
                secret: { Secrets.next() }))
        let (host, port) = try settings.address()
        let (prepared, preparation) = AsyncStream.makeStream(of: Void.self)
        let application = try server.application(address: host, port: port, tls: tls, logger: logger) {
            port in
            // Who reads the address may use the admin token at once.
            for await _ in prepared {}
            await announce(host: host, port: port, tls: tls != nil)
        }
        let logger = logger
        try await runServices([
            Duty("store") { await store.run() },
            Duty("prepare") {
                try await prepare(store)
                preparation.finish()
            },
            Duty("feed") { await hub.run() },
            Duty("questions") { await sessions.watchQuestions(time, logger: logger) },
            Duty("housekeeping") { await Housekeeping(store: store, time: time, logger: logger).run() },
            Duty("controllers") {
                await supervisor.run()
            } after: {
                await supervisor.giveBack()
            },
            application,
            // The first to stop: the API waits for requests under way, and polls would keep it waiting.
            Duty("clients") {
            } after: {
                hub.dismissClients()
            },
        ])
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
        if let path = settings.dataDirectory {
            let secret = try DataDirectory(path).adminSecret()
            let token = AccessToken(
                name: "admin", role: .admin, secretHash: Secrets.hash(secret), expiresAt: nil)
            do {
                try await store.createToken(token, context: WriteContext(actor: "basaltd", verb: "bootstrap"))
            } catch StoreError.alreadyExists {
                // Made by an earlier start.
            }
        }
        if let rate = settings.fleetRate { try await store.setFleetRate(rate) }
    }

    private var controllerName: String {
        let process = ProcessInfo.processInfo
        return "\(settings.name ?? process.hostName)-\(process.processIdentifier)"
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
        if let certificateFile = settings.tlsCertificate, let keyFile = settings.tlsKey {
            (certificate, key) = (certificateFile, keyFile)
        } else if let path = settings.dataDirectory {
            let authority = DataDirectory(path).authority
            try authority.prepare(now: Date())
            (certificate, key) = (authority.certificateFile.path, authority.keyFile.path)
        } else if settings.isLoopback {
            return nil
        } else {
            throw SettingsError(
                "listen is \"\(settings.listen)\": an address beyond this machine is served over TLS only; "
                    + "give --tls-certificate and --tls-key")
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
