internal import AgentProtocol
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Logging
internal import NodeAgent
internal import Oversubscription
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

    func run(_ flags: SettingFlags<AgentSetting>) async throws {
        let settings = try settings(flags)
        let logger = Self.logger(settings)
        let stateDirectory = settings.text(.stateDirectory) ?? ""
        guard settings.text(.server) != nil else {
            throw SettingsError("server is not set; give --server https://HOST:PORT")
        }
        // A full disk fails the write, not the program.
        signal(SIGXFSZ, SIG_IGN)
        let clock = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? UUID().uuidString)
        try FileManager.default.createDirectory(
            atPath: stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])

        let inventory: any InventorySource
        let runtime: (any VMRuntime)?
        var output: (any OutputSource)?
        var progress: (any ProgressSource)?
        var usage: UsageParts?
        var services: [any Service] = []
        if let spec = try simulation.spec() {
            let substrate = try SimulatedSubstrate.open(
                directory: stateDirectory + "/substrate", spec: spec, clock: clock,
                poweredOffAt: simulation.poweredOffAt, trainingSpeed: simulation.trainingSpeed)
            (inventory, runtime) = (substrate, substrate)
            progress = substrate
            services.append(substrate)
            let power = simulation.power(
                of: substrate, stateDirectory: stateDirectory, clock: clock, logger: logger)
            if let power { services.append(power) }
            usage = try simulation.usage(of: substrate, stateDirectory: stateDirectory, clock: clock)
                .map { simulated in
                    UsageParts(
                        source: simulated, throttle: simulated, power: power,
                        settings: GuardSettings(
                            coolDownSeconds: min(15, simulation.guardHoldSeconds),
                            holdSeconds: simulation.guardHoldSeconds))
                }
        } else if process.substrate == .process {
            let substrate = try openProcesses(settings, clock, logger)
            inventory = process.inventory(
                name: substrate.host, stateDirectory: stateDirectory, substrate: substrate.substrate,
                labels: substrate.labels)
            runtime = substrate
            output = substrate
            progress = substrate
            services.append(substrate)
            usage = UsageParts(
                source: MachineUsage(host: substrate.host, substrate: substrate, clock: clock),
                throttle: process.guardCores ? substrate.throttle : nil,
                settings: process.guardCores ? GuardSettings() : .measuring)
        } else {
            (inventory, runtime) = (
                process.inventory(name: settings.text(.name), stateDirectory: stateDirectory), nil
            )
        }
        let (outputSource, progressSource, usageParts) = (output, progress, usage)
        let credential = try await join(
            inventory, settings, substrate: runtime?.substrate ?? SubstrateName.observe, logger: logger)
        try await RESTClient.with(
            Self.clientConfiguration(settings, token: credential.credential), seams: Self.seams
        ) { client in
            let agent = Agent(
                configuration: AgentConfiguration(version: ProductVersion.current),
                stateDirectory: stateDirectory, controlPlane: HTTPControlPlane(client), inventory: inventory,
                runtime: runtime, output: outputSource, progress: progressSource, clock: clock,
                seed: UInt64.random(in: .min ... .max),
                logger: logger)
            if let address = settings.address(.metricsListen) {
                services.append(
                    MetricsServer(address: address, metrics: { agent.exposition }, logger: logger))
            }
            if let usageParts {
                services.append(
                    UsageReporter(
                        configuration: .init(
                            settings: usageParts.settings, guardFile: stateDirectory + "/guards.json"),
                        source: usageParts.source, sink: HTTPControlPlane(client),
                        throttle: usageParts.throttle, power: usageParts.power, clock: clock, logger: logger))
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

    /// What a reporter of use is made of.
    private struct UsageParts {
        var source: any UsageSource
        var throttle: (any UsageThrottle)?
        var power: PowerWatch?
        var settings: GuardSettings
    }

    private func openProcesses(
        _ settings: EffectiveSettings<AgentSetting>, _ clock: SystemAgentClock, _ logger: Logger
    ) throws -> ProcessSubstrate {
        let hosts = try MachineInventory(name: settings.text(.name)).hosts()
        guard let host = hosts.first else { throw ValidationError("this machine has no name: give --name") }
        return try ProcessSubstrate.open(
            try process.configuration(
                directory: (settings.text(.stateDirectory) ?? "") + "/substrate", host: host.name),
            clock: clock, logger: logger)
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
            LineLogHandler(format: format, level: level, now: now)
        }
    }

    private static let now: @Sendable () -> Timestamp = {
        Timestamp(seconds: Date().timeIntervalSince1970)
    }

    /// Waiting, chance and ids of the operating system.
    private static let seams = ClientSeams(
        sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) },
        ids: TimeOrderedIDSource(now: now, entropy: { UUID() }))
}
