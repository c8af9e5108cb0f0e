internal import AgentProtocol
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Logging
internal import NodeAgent
internal import ServiceLifecycle
internal import UnixSignals

/// The node agent.
@main
struct BasaltAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-agent", abstract: "Carry machines of a fleet.",
        version: ProductVersion.current, subcommands: [RunCommand.self, InventoryCommand.self],
        defaultSubcommand: RunCommand.self)
}

/// Joins once, then carries out what the controllers decide for the agent's hosts.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Carry out the control plane's decisions on this machine, or on a simulated fleet.")

    @Option(help: ArgumentHelp("Controllers, separated by commas.", valueName: "https://host:port,…"))
    var server: String
    @Option(
        help: ArgumentHelp(
            "PEM file with the certificates that the controllers are trusted by.", valueName: "file"))
    var ca: String?
    @Option(help: ArgumentHelp("Directory of the agent's memory; one agent at a time.", valueName: "dir"))
    var stateDirectory = "/var/lib/basalt-agent"
    @Option(
        help: ArgumentHelp(
            "File with the secret of a join token; needed until the agent has joined.", valueName: "file"))
    var joinTokenFile: String?
    @Option(help: ArgumentHelp("Name of the session; the machine's name when absent.", valueName: "name"))
    var name: String?
    @OptionGroup(title: "This machine") var process: ProcessOptions
    @OptionGroup(title: "Simulated fleet") var simulation: SimulationOptions
    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel = "info"

    func run() async throws {
        var logger = Logger(label: "basalt-agent")
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw ValidationError("--log-level is \"\(logLevel)\"; the nearest choice is info")
        }
        logger.logLevel = level
        let clock = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? UUID().uuidString)
        try FileManager.default.createDirectory(
            atPath: stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])

        let inventory: any InventorySource
        let runtime: (any VMRuntime)?
        var output: (any OutputSource)?
        var services: [any Service] = []
        if let spec = try simulation.spec() {
            let substrate = try SimulatedSubstrate.open(
                directory: stateDirectory + "/substrate", spec: spec, clock: clock,
                poweredOffAt: simulation.poweredOffAt)
            (inventory, runtime) = (substrate, substrate)
            services.append(substrate)
        } else if process.substrate == .process {
            let substrate = try openProcesses(clock, logger)
            inventory = process.inventory(
                name: substrate.host, stateDirectory: stateDirectory, substrate: substrate.substrate,
                labels: substrate.labels)
            runtime = substrate
            output = substrate
            services.append(substrate)
        } else {
            (inventory, runtime) = (process.inventory(name: name, stateDirectory: stateDirectory), nil)
        }
        let outputSource = output
        let credential = try await join(
            inventory, substrate: runtime?.substrate ?? SubstrateName.observe, logger: logger)
        try await RESTClient.with(clientConfiguration(token: credential.credential), seams: Self.seams) {
            client in
            let agent = Agent(
                configuration: AgentConfiguration(version: ProductVersion.current),
                stateDirectory: stateDirectory, controlPlane: HTTPControlPlane(client), inventory: inventory,
                runtime: runtime, output: outputSource, clock: clock, seed: UInt64.random(in: .min ... .max),
                logger: logger)
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

    private func openProcesses(_ clock: SystemAgentClock, _ logger: Logger) throws -> ProcessSubstrate {
        let hosts = try MachineInventory(name: name).hosts()
        guard let host = hosts.first else { throw ValidationError("this machine has no name: give --name") }
        // A full disk fails the write, not the program.
        signal(SIGXFSZ, SIG_IGN)
        return try ProcessSubstrate.open(
            try process.configuration(directory: stateDirectory + "/substrate", host: host.name),
            clock: clock, logger: logger)
    }

    /// The credential of an earlier join, or a new one for the join token.
    private func join(_ inventory: any InventorySource, substrate: String, logger: Logger) async throws
        -> JoinResponse
    {
        let file = CredentialFile(path: stateDirectory + "/credential.json")
        if let known = try file.load() { return known }
        guard let joinTokenFile else {
            throw ValidationError("this agent has not joined yet: give --join-token-file FILE")
        }
        let token = try String(contentsOfFile: joinTokenFile, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let hosts = try await inventory.hosts().map(\.name)
        let session = name ?? ProcessInfo.processInfo.hostName
        let response = try await RESTClient.with(clientConfiguration(token: nil), seams: Self.seams) {
            client in
            try await client.join(
                JoinRequest(token: token, session: session, substrate: substrate, hosts: hosts))
        }
        try file.store(response)
        logger.notice("joined", metadata: ["session": "\(response.session)", "hosts": "\(hosts.count)"])
        return response
    }

    private func clientConfiguration(token: String?) throws -> ClientConfiguration {
        ClientConfiguration(
            servers: try ServerAddress.list(server), token: token, certificateFile: ca, retry: .singleRound)
    }

    /// Waiting, chance and ids of the operating system.
    private static let seams = ClientSeams(
        sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) },
        ids: TimeOrderedIDSource(
            now: { Timestamp(seconds: Date().timeIntervalSince1970) }, entropy: { UUID() }))
}
