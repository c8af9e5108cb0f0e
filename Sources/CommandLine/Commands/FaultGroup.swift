internal import APITypes
internal import ArgumentParser
internal import Client
internal import FaultLab
internal import Fleet

struct FaultGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fault", abstract: "Injects faults into the fleet, and ends them.",
        subcommands: [
            FaultRunCommand.self, FaultListCommand.self, FaultGetCommand.self, FaultAbortCommand.self,
            FaultPauseCommand.self, FaultResumeCommand.self, FaultSwitchCommand.self, FaultDoctorCommand.self,
            FaultImpactCommand.self,
        ])
}

struct FaultRunCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Injects a fault.",
        discussion: """
            The injector beside each target takes the fault back when its lease is over, whether anybody \
            still answers or not. What is labelled basalt/fault-protected is never hit.
            """)

    @Argument(help: "Name of the fault.") var name: String
    @Option(help: "What goes wrong, such as agentCrash, linkPartition or storeReadOnly.") var kind: String
    @Option(help: "What is hit, as component/name; may be repeated.") var target: [String] = []
    @Option(help: "Any target of this component, such as agent.") var component: String?
    @Option(
        name: [.customShort("l"), .long], help: "Targets with this label, as key=value; may be repeated.")
    var label: [String] = []
    @Option(help: "At most so many of the targets.") var limit: Int?
    @Option(help: "How long it lasts, such as 30s.") var lease = "60s"
    @Option(help: "Targets that may be under faults at once, those of other faults included.")
    var blastRadius = FaultSpec.standardRadius
    @Option(help: "A chance, from 0 to 1.") var probability: Double?
    @Option(help: "A delay, such as 500ms.") var delay: String?
    @Option(help: "A number, such as of busy cores.") var count: Int?
    @Option(help: "A word, such as a table.") var value: String?
    @Option(help: "What must hold before: agentsReport or everythingRuns; may be repeated.")
    var steady: [String] = []
    @Option(help: "It is ended when more hosts than this are not ready.") var abortAbove: Int?
    @Flag(help: "Only show what would be hit.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let draft = FaultDraft(name: name, spec: try spec())
        let fault = try await connection.connected(surroundings) { client, _ in
            try await client.injectFault(draft, dryRun: dryRun)
        }
        output.show(try FaultTables.fault(fault, isTrial: dryRun), surroundings)
        return .done
    }

    func spec() throws -> FaultSpec {
        guard let kind = FaultKind(rawValue: kind) else {
            throw CommandFailure(NearestChoice.refusal("kind", kind, among: FaultKind.offered))
        }
        let names = try target.map { text in
            guard let target = FaultTarget(text) else {
                throw CommandFailure("--target \(text) is not written as component/name")
            }
            return target
        }
        var labels: [String: String] = [:]
        for text in label {
            let pair = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { throw CommandFailure("--label \(text) is not written as key=value") }
            labels[pair[0]] = pair[1]
        }
        let checks = try steady.map { text in
            guard let check = SteadyCheck(rawValue: text) else {
                throw CommandFailure(
                    NearestChoice.refusal("steady", text, among: SteadyCheck.allCases.map(\.rawValue)))
            }
            return check
        }
        let parameters = FaultParameters(
            probability: probability,
            delaySeconds: try delay.map { Double(try DurationText.parse($0).microseconds) / 1e6 },
            count: count, value: value)
        return FaultSpec(
            kind: kind,
            selector: TargetSelector(
                names: names.isEmpty ? nil : names, component: component,
                labels: labels.isEmpty ? nil : labels, limit: limit),
            parameters: parameters == FaultParameters() ? nil : parameters,
            leaseSeconds: Int(try DurationText.parse(lease).components.seconds), blastRadius: blastRadius,
            steadyState: checks.isEmpty ? nil : checks,
            abortWhen: abortAbove.map { AbortCondition(hostsNotReadyAbove: $0) })
    }
}

struct FaultListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists faults, those that are over as well.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let faults = try await connection.connected(surroundings) { client, _ in try await client.faults() }
        output.show(try FaultTables.list(faults, now: surroundings.now()), surroundings)
        return .done
    }
}

/// A command about one fault that is there.
struct FaultNameOptions: ParsableArguments {
    @Argument(help: "Name of the fault.") var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func show(
        _ surroundings: Surroundings, _ ask: (RESTClient) async throws -> FaultRecord
    ) async throws -> ExitStatus {
        let fault = try await connection.connected(surroundings) { client, _ in try await ask(client) }
        output.show(try FaultTables.fault(fault, isTrial: false), surroundings)
        return .done
    }
}

struct FaultGetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows a fault, target by target.")

    @OptionGroup var options: FaultNameOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.show(surroundings) { try await $0.fault(options.name) }
    }
}

struct FaultAbortCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Takes a fault back, for good.")

    @OptionGroup var options: FaultNameOptions
    @Option(help: "Why.") var reason = ""

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.show(surroundings) { try await $0.abortFault(options.name, reason: reason) }
    }
}

struct FaultPauseCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Takes a fault back until it is resumed.")

    @OptionGroup var options: FaultNameOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.show(surroundings) { try await $0.pauseFault(options.name) }
    }
}

struct FaultResumeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Does a paused fault again, with a lease of its own.")

    @OptionGroup var options: FaultNameOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.show(surroundings) { try await $0.resumeFault(options.name) }
    }
}

struct FaultSwitchCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill-switch", abstract: "Ends all faults, and refuses new ones until it is lifted.")

    @Flag(help: "Allow faults again.") var lift = false
    @Flag(help: "Only show whether it is engaged.") var show = false
    @Option(help: "Why, for whoever finds faults off.") var reason = ""
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let state = try await connection.connected(surroundings) { client, _ in
            if show { return try await client.faultSwitch() }
            return try await lift
                ? client.liftFaultSwitch() : client.engageFaultSwitch(reason: reason)
        }
        let line = state.isOff ? "all faults are off" : "faults may be injected"
        let left = state.inEffect == 0 ? "" : "; \(state.inEffect) targets are being relieved"
        output.show(
            Presentation(
                [.lines([line + left])], names: ["faultswitch"], value: try Serialization.tree(state)),
            surroundings)
        return .done
    }
}

struct FaultDoctorCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Shows what faults left behind, and injectors that are silent.",
        discussion: """
            Exits with 2 when something is left. On the machine itself basalt-injector doctor --fix takes \
            everything back, without a control plane.
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let (injectors, faults) = try await connection.connected(surroundings) { client, _ in
            (try await client.faultInjectors(), try await client.faults())
        }
        let left = FaultTables.findings(injectors, faults)
        output.show(try FaultTables.doctor(injectors, left, now: surroundings.now()), surroundings)
        return left.isEmpty ? .done : .changesPresent
    }
}
