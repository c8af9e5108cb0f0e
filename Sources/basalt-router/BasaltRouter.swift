internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Logging
internal import NIOSSL
internal import ProgramShell
internal import ServiceLifecycle
internal import ServingRouter
internal import Settings
internal import Telemetry
internal import UnixSignals

/// The router of a serving deployment: an OpenAI-compatible HTTP reverse proxy that follows its routes.
struct BasaltRouter: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-router",
        abstract: "Send requests for a model to the replicas of its serving deployment.",
        discussion: RouterSetting.usage,
        version: ProductVersion.description,
        subcommands: [Run.self, ConfigGroup<RouterSetting>.self],
        defaultSubcommand: Run.self)
}

/// `basalt-router run`, the default: routes until SIGTERM or SIGINT.
struct Run: SettledCommand {
    static let configuration = CommandConfiguration(abstract: "Route requests until stopped.")

    func run(_ flags: SettingFlags<RouterSetting>) async throws {
        let settings = try settings(flags)
        guard let address = settings.address(.listen) else { throw SettingsError("listen is not set") }
        let logger = Self.logger(settings)
        let start = ContinuousClock.now
        let board = RouteBoard(uptime: { ContinuousClock.now - start })
        let metrics = MetricRegistry<RouterMetric>()
        metrics.set(.info, [ProductVersion.current, ProductVersion.build], to: 1)
        let server = RouterServer(
            host: address.host, port: address.port, tls: try Self.tls(settings), board: board,
            limits: Self.limits(settings), metrics: metrics, name: Self.name, logger: logger)
        try await Self.withSource(settings) { source in
            let follower = RouteFollower(
                source: source, board: board, memory: try Self.memory(settings), metrics: metrics,
                logger: logger)
            try await ServiceGroup(
                configuration: .init(
                    services: [follower, server, ReplicaWatch(server, source: source, logger: logger)],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            ).run()
        }
    }

    /// Tells this router from others: host and process.
    private static var name: String {
        let process = ProcessInfo.processInfo
        return "\(process.hostName.prefix(40))-\(process.processIdentifier)"
    }

    private static func withSource(
        _ settings: EffectiveSettings<RouterSetting>, _ body: (any RouteSource) async throws -> Void
    ) async throws {
        if let path = settings.text(.routesFile) {
            return try await body(FileRouteSource(path: path))
        }
        if let servers = settings.text(.server) {
            let configuration = ClientConfiguration(
                servers: try ServerAddress.list(servers), token: try settings.contents(.tokenFile),
                certificateFile: settings.text(.ca), retry: .singleRound)
            return try await RESTClient.with(configuration, seams: seams) { client in
                try await body(
                    ControllerRouteSource(
                        client: client, project: settings.text(.project) ?? "",
                        deployment: settings.text(.deployment) ?? ""))
            }
        }
        throw SettingsError("no routes to follow: give --server https://HOST:PORT or --routes-file FILE")
    }

    private static func tls(
        _ settings: EffectiveSettings<RouterSetting>
    ) throws -> TLSConfiguration? {
        guard let certificate = settings.text(.tlsCertificate), let key = settings.text(.tlsKey) else {
            return nil
        }
        do {
            return try RouterServer.tls(certificateFile: certificate, keyFile: key)
        } catch {
            throw SettingsError("tlsCertificate and tlsKey are no certificate and its key: \(error)")
        }
    }

    private static func memory(_ settings: EffectiveSettings<RouterSetting>) throws -> RouteFile? {
        guard let directory = settings.text(.stateDirectory) else { return nil }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return RouteFile(path: directory + "/routes.json")
    }

    private static func limits(_ settings: EffectiveSettings<RouterSetting>) -> RouterLimits {
        var limits = RouterLimits()
        limits.requests = settings.count(.maxRequests) ?? limits.requests
        limits.connections = settings.count(.maxConnections) ?? limits.connections
        limits.bodyBytes = (settings.count(.maxBodyMebibytes) ?? limits.bodyBytes >> 20) << 20
        return limits
    }

    private static func logger(_ settings: EffectiveSettings<RouterSetting>) -> Logger {
        let format = settings.text(.logFormat).flatMap(LogFormat.init(rawValue:)) ?? .logfmt
        let level = settings.text(.logLevel).flatMap(Logger.Level.init(rawValue:)) ?? .info
        return Logger(label: "basalt-router") { _ in
            LineLogHandler(format: format, level: level, now: SystemSeams.now)
        }
    }

    private static let seams = ClientSeams(
        sleep: SystemSeams.sleep, random: SystemSeams.random, ids: SystemSeams.ids)
}
