internal import AgentProtocol
internal import ArgumentParser
internal import Client
internal import FaultSeam
internal import Fleet
internal import Foundation
internal import Logging
internal import NodeAgent
internal import ProgramShell
internal import ServiceLifecycle
internal import Settings
internal import Telemetry
internal import UnixSignals

/// The node agent: joins once, then carries out what the controllers decide for its hosts.
struct BasaltAgent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-agent",
        abstract: "Carry out the control plane's decisions on this machine, or on a simulated fleet.",
        discussion: AgentSetting.usage,
        version: ProductVersion.description,
        subcommands: [Run.self, InventoryCommand.self, ConfigGroup<AgentSetting>.self],
        defaultSubcommand: Run.self)
}

/// `basalt-agent run`, the default: joins when it has not, and works until SIGTERM or SIGINT.
struct Run: SettledCommand {
    static let configuration = CommandConfiguration(abstract: "Carry out decisions until stopped.")

    @OptionGroup(title: "This machine") var process: ProcessOptions
    @OptionGroup(title: "Simulated fleet") var simulation: SimulationOptions
    @OptionGroup(title: "Devices") var devices: DeviceOptions
    @OptionGroup var seamed: SeamOptions

    func run(_ flags: SettingFlags<AgentSetting>) async throws {
        let settings = try settings(flags)
        let logger = Self.logger(settings)
        let stateDirectory = settings.text(.stateDirectory) ?? ""
        guard settings.text(.server) != nil else {
            throw SettingsError("server is not set; give --server https://HOST:PORT")
        }
        // A full disk fails the write, not the program.
        signal(SIGXFSZ, SIG_IGN)
        let system = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? UUID().uuidString)
        let seam = try seamed.open(logger)
        let clock: any AgentClock = seam.map { SeamedClock(system, seam: $0) as any AgentClock } ?? system
        try FileManager.default.createDirectory(
            atPath: stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var parts = try parts(settings, stateDirectory, clock, logger)
            .failing(by: seam, clock: clock, unit: Self.seams.random)
        let watch = try devices.watch(
            parts.inventory, isReal: try simulation.spec() == nil, nvmlLibrary: process.nvmlLibrary,
            stateDirectory: stateDirectory, clock: clock, logger: logger)
        if let watch {
            parts.inventory = watch
            parts.services.append(watch)
        }
        let credential = try await join(
            parts.inventory, settings, substrate: parts.runtime?.substrate ?? SubstrateName.observe,
            logger: logger)
        try await RESTClient.with(
            Self.clientConfiguration(settings, token: credential.credential), seams: Self.seams
        ) { [parts] client in
            let agent = Agent(
                configuration: AgentConfiguration(version: ProductVersion.current),
                stateDirectory: stateDirectory, controlPlane: Self.controlPlane(client, seam, clock),
                inventory: parts.inventory, runtime: parts.runtime, output: parts.output,
                progress: parts.progress, devices: watch, clock: clock,
                seed: UInt64.random(in: .min ... .max), logger: logger)
            var services = parts.services
            if let address = settings.address(.metricsListen) {
                services.append(
                    MetricsServer(address: address, metrics: { agent.exposition }, logger: logger))
            }
            if let usage = parts.usage {
                services.append(
                    UsageReporter(
                        configuration: .init(
                            settings: usage.settings, guardFile: stateDirectory + "/guards.json"),
                        source: usage.source, sink: HTTPControlPlane(client), throttle: usage.throttle,
                        power: usage.power, clock: clock, logger: logger))
            }
            // The substrate first: it goes on until the agent has ended.
            let all = (services + [agent]).map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }
            try await ServiceGroup(
                configuration: .init(
                    services: all, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            ).run()
        }
    }

    private func parts(
        _ settings: EffectiveSettings<AgentSetting>, _ stateDirectory: String, _ clock: any AgentClock,
        _ logger: Logger
    ) throws -> AgentParts {
        if let spec = try simulation.spec() {
            return try .simulated(spec, simulation, stateDirectory, clock, logger)
        }
        if process.substrate == .process {
            let hosts = try MachineInventory(name: settings.text(.name)).hosts()
            guard let host = hosts.first else {
                throw ValidationError("this machine has no name: give --name")
            }
            return try .processes(of: host.name, process, stateDirectory, clock, logger)
        }
        return AgentParts(
            inventory: process.inventory(name: settings.text(.name), stateDirectory: stateDirectory))
    }

    private static func controlPlane(
        _ client: RESTClient, _ seam: FaultSeam?, _ clock: any AgentClock
    ) -> any ControlPlane {
        guard let seam else { return HTTPControlPlane(client) }
        return SeamedControlPlane(HTTPControlPlane(client), seam: seam, clock: clock, unit: seams.random)
    }

    /// The credential of an earlier join, or a new one for the join token.
    private func join(
        _ inventory: any InventorySource, _ settings: EffectiveSettings<AgentSetting>, substrate: String,
        logger: Logger
    ) async throws -> JoinResponse {
        let file = CredentialFile(path: (settings.text(.stateDirectory) ?? "") + "/credential.json")
        if let known = try file.load() { return known }
        guard let token = try settings.contents(.joinTokenFile) else {
            throw SettingsError("this agent has not joined yet: set joinTokenFile")
        }
        let hosts = try await inventory.hosts().map(\.name)
        let session = settings.text(.name) ?? ProcessInfo.processInfo.hostName
        let response = try await RESTClient.with(
            Self.clientConfiguration(settings, token: nil), seams: Self.seams
        ) {
            client in
            try await client.join(
                JoinRequest(token: token, session: session, substrate: substrate, hosts: hosts))
        }
        try file.store(response)
        logger.notice("joined", metadata: ["session": "\(response.session)", "hosts": "\(hosts.count)"])
        return response
    }

    private static func clientConfiguration(
        _ settings: EffectiveSettings<AgentSetting>, token: String?
    ) throws -> ClientConfiguration {
        ClientConfiguration(
            servers: try ServerAddress.list(settings.text(.server) ?? ""), token: token,
            certificateFile: settings.text(.ca), retry: .singleRound)
    }

    private static func logger(_ settings: EffectiveSettings<AgentSetting>) -> Logger {
        let format = settings.text(.logFormat).flatMap(LogFormat.init(rawValue:)) ?? .logfmt
        let level = settings.text(.logLevel).flatMap(Logger.Level.init(rawValue:)) ?? .info
        return Logger(label: "basalt-agent") { _ in
            LineLogHandler(format: format, level: level, now: SystemSeams.now)
        }
    }

    private static let seams = ClientSeams(
        sleep: SystemSeams.sleep, random: SystemSeams.random, ids: SystemSeams.ids)
}
