internal import ArgumentParser
internal import Client
internal import FaultInjection
internal import FaultLab
internal import Fleet
internal import Foundation
internal import Logging
internal import NodeAgent
internal import ProgramShell
internal import Telemetry
internal import UnixSignals

/// Does faults to what runs on this machine, and takes them back whatever happens.
@main
struct BasaltInjector: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-injector",
        abstract: "Inject faults into this machine's part of a fleet, and take them back.",
        version: ProductVersion.description,
        subcommands: [
            RunCommand.self, InjectCommand.self, SentinelCommand.self, DoctorCommand.self, ProxyCommand.self,
            LoadGroup.self,
        ], defaultSubcommand: RunCommand.self)

    static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path

    static let logger = Logger(label: "basalt-injector") { _ in
        LineLogHandler(format: .logfmt, level: .info, now: SystemSeams.now)
    }
}

/// Where an injector keeps what takes its faults back.
struct StateOptions: ParsableArguments {
    @Option(help: "Where the undo of what is in effect is kept.") var stateDirectory: String

    /// Command line of a sentinel.
    var sentinel: [String] {
        [BasaltInjector.program, "sentinel", "--state-directory", stateDirectory]
    }

    func injector(_ targets: TargetFile, endAt: EndPoint? = nil) throws -> Injector {
        Injector(
            targets: targets, folder: try ArmingFolder(stateDirectory), program: BasaltInjector.program,
            clock: SystemSeams.clock, logger: BasaltInjector.logger, endAt: endAt)
    }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Do what the control plane orders, until stopped.")

    @OptionGroup var state: StateOptions
    @Option(help: "File that names the targets.") var targets: String
    @Option(help: "Name of this injector.") var name: String
    @Option(help: "URLs of the controllers, separated by commas.") var server: String
    @Option(help: "PEM file with the controllers' authority.") var ca: String?
    @Option(help: "File with an administrator's token.") var tokenFile: String
    @Option(help: .hidden) var endAt: String?

    /// A controller that hangs must not keep the kill switch from an injector: another one knows of it.
    private static let limits = ClientLimits(
        connect: .seconds(2), answer: .seconds(3), silence: .seconds(3), answerBytes: 1 << 24, connections: 4)

    func run() async throws {
        let file = try TargetFile.read(targets)
        let injector = try state.injector(file, endAt: endAt.flatMap(EndPoint.init(rawValue:)))
        let token = try String(contentsOfFile: tokenFile, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let configuration = ClientConfiguration(
            servers: try ServerAddress.list(server), token: token, certificateFile: ca, retry: .singleRound,
            limits: Self.limits)
        let seams = ClientSeams(
            sleep: SystemSeams.sleep, random: SystemSeams.random, ids: SystemSeams.ids)
        try await RESTClient.with(configuration, seams: seams) { client in
            let loop = InjectorLoop(
                injector: injector, control: RESTControl(client: client, name: name),
                directory: state.stateDirectory, sentinel: state.sentinel, logger: BasaltInjector.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await loop.run() }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { return }
                }
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }
}

struct InjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject", abstract: "Inject one fault on this machine, without a control plane.")

    @OptionGroup var state: StateOptions
    @Option(help: "File that names the targets.") var targets: String
    @Option(help: "Name of the fault.") var name: String
    @Option(help: "What goes wrong, such as agentHang.") var kind: String
    @Option(help: "What is hit, as component/name.") var target: String
    @Option(help: "Seconds until it is taken back.") var lease: Int
    @OptionGroup(title: "How strongly") var strength: ParameterOptions
    @Option(help: "Seconds until this program takes it back itself.") var takeBackAfter: Double?
    @Option(help: .hidden) var endAt: String?

    func run() async throws {
        guard let kind = FaultKind(rawValue: kind) else {
            throw ValidationError("--kind \(kind) is not known")
        }
        guard let target = FaultTarget(target) else {
            throw ValidationError("--target \(target) is not written as component/name")
        }
        guard (1...FaultSpec.longestLease).contains(lease) else {
            throw ValidationError("--lease lies between 1 and \(FaultSpec.longestLease)")
        }
        let injector = try state.injector(
            try TargetFile.read(targets), endAt: endAt.flatMap(EndPoint.init(rawValue:)))
        try await injector.inject(
            InjectorOrders.Order(
                fault: name, target: target, round: 1, kind: kind, parameters: strength.parameters,
                leaseSeconds: lease),
            directory: state.stateDirectory, sentinel: state.sentinel,
            takingBackAfter: takeBackAfter.map { .seconds($0) })
    }
}

/// Each kind reads what it has a use for.
struct ParameterOptions: ParsableArguments {
    @Option(help: "Of one message or start, 0 to 1.") var probability: Double?
    @Option(help: "Of a message, a step or a call.") var delaySeconds: Double?
    @Option(help: "Of a clock; forward above 0.") var offsetSeconds: Double?
    @Option(help: "How many.") var count: Int?
    @Option(help: "What else the kind reads, such as a table.") var value: String?

    var parameters: FaultParameters {
        FaultParameters(
            probability: probability, delaySeconds: delaySeconds, offsetSeconds: offsetSeconds, count: count,
            value: value)
    }
}

private struct RESTControl: FaultControl {
    let client: RESTClient
    let name: String

    func exchange(_ report: InjectorReport) async throws -> InjectorOrders {
        try await client.exchange(injector: name, report)
    }
}

struct SentinelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentinel", abstract: "Keep the leases of what is in effect. Started by injectors.")

    @OptionGroup var state: StateOptions

    func run() async throws {
        try await Sentinel(try state.injector(TargetFile(targets: [])), directory: state.stateDirectory).run()
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show what injections left on this machine, and take it back.",
        discussion:
            """
            Tells as well what faults need of this machine and whether it has it, unless it is to fix. Needs \
            neither a control plane nor an injector. Ends with status 2 when something is left.
            """)

    @OptionGroup var state: StateOptions
    @Flag(help: "Take everything back, also what is under its lease.") var fix = false

    func run() async throws {
        if !fix {
            for found in await CapabilityProbe.run() {
                let kinds = found.kinds.map(\.rawValue).joined(separator: ", ")
                let word = found.isAvailable ? "can" : "cannot"
                Console.write("\(word) \(found.name.rawValue): \(found.detail) [\(kinds)]")
            }
        }
        let injector = try state.injector(TargetFile(targets: []))
        let folder = try ArmingFolder(state.stateDirectory)
        if fix {
            for arming in await injector.sweep(everything: true) { Console.write("taken back \(arming.id)") }
            for mark in try injector.endStrays() { Console.write("ended \(mark)") }
        }
        let (left, strays) = (try folder.all(), try injector.strays())
        for arming in left { Console.write("in effect \(arming.id) until \(arming.until)") }
        for mark in strays { Console.write("stray \(mark)") }
        if !left.isEmpty || !strays.isEmpty { throw ExitCode(2) }
    }
}
