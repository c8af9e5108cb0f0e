internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

/// What every constraint says beside its verb.
struct ConstraintOptions: ParsableArguments {
    @Option(help: "Why, for whoever finds the scope so.") var reason: String
    @Option(name: .customLong("for"), help: "How long it stands, such as 24h; until it is ended when absent.")
    var duration: String?
    @Flag(help: "Only show what it would be.") var dryRun = false

    func write(
        _ verb: ScopeConstraint.Verb, on scope: RateScope, ratio: Int? = nil, prototypes: [Int]? = nil,
        _ output: OutputOptions, _ connection: ConnectionOptions, _ surroundings: Surroundings
    ) async throws -> ExitStatus {
        let request = ConstraintRequest(
            scope: scope.description, verb: verb, ratioPerMille: ratio, prototypes: prototypes,
            reason: reason,
            ttlSeconds: try duration.map { Int(try DurationText.parse($0).components.seconds) })
        if let defect = request.defects().first {
            throw CommandFailure("\(defect.field): \(defect.message)")
        }
        let written = try await connection.connected(surroundings) { client, _ in
            try await client.constrain(request, dryRun: dryRun)
        }
        output.show(try RateTables(now: surroundings.now()).constraint(written), surroundings)
        return .done
    }
}

/// A constraint on a scope that is named.
struct ScopeConstraintOptions: ParsableArguments {
    @Argument(help: "cell/NAME, pool/NAME or host/NAME.") var scope: String
    @OptionGroup var constraint: ConstraintOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func write(
        _ verb: ScopeConstraint.Verb, ratio: String? = nil, _ surroundings: Surroundings
    ) async throws -> ExitStatus {
        try await constraint.write(
            verb, on: try OversubGroup.scope(scope), ratio: try ratio.map(OversubGroup.ratio), output,
            connection, surroundings)
    }
}

struct OversubPinCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Gives a scope one ratio, whatever policies and use say.")

    @OptionGroup var options: ScopeConstraintOptions
    @Option(help: "vCPUs sold per vCPU, such as 1.5.") var ratio: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.write(.pin, ratio: ratio, surroundings)
    }
}

struct OversubCapCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "cap", abstract: "Keeps the ratio of a scope from rising above one.")

    @OptionGroup var options: ScopeConstraintOptions
    @Option(help: "vCPUs sold per vCPU, such as 1.5.") var ratio: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.write(.cap, ratio: ratio, surroundings)
    }
}

struct OversubExcludeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "exclude", abstract: "Takes a scope out: a vCPU per vCPU, and nothing is learnt of it.")

    @OptionGroup var options: ScopeConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await options.write(.exclude, surroundings)
    }
}

struct OversubKillSwitchCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill-switch", abstract: "Stops oversubscription of a scope for all that comes.",
        discussion: "What runs goes on; from now on a vCPU is sold once. --off takes it back.")

    @Argument(help: "cell/NAME, pool/NAME or host/NAME.") var scope: String
    @Flag(help: "Take it back.") var off = false
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var constraint: ConstraintOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let scope = try OversubGroup.scope(scope)
        guard off else {
            try Confirmation.ask(
                "Sell every vCPU of \(scope) once from now on?", yes: yes || constraint.dryRun, flag: "--yes",
                surroundings)
            return try await constraint.write(.kill, on: scope, output, connection, surroundings)
        }
        let ended = try await connection.connected(surroundings) { client, _ in
            let thrown = try await client.rateConstraints().filter { $0.scope == scope && $0.verb == .kill }
            guard !thrown.isEmpty else {
                throw CommandFailure(
                    "no kill switch of \(scope) is on; basalt oversub constraints lists them")
            }
            var ended: [ScopeConstraint] = []
            for kill in thrown {
                ended.append(
                    try await client.endConstraint(
                        kill.id, reason: constraint.reason, dryRun: constraint.dryRun))
            }
            return ended
        }
        output.show(try RateTables(now: surroundings.now()).constraints(ended), surroundings)
        return .done
    }
}

struct OversubEndCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "end", abstract: "Takes a constraint back.")

    @Argument(help: "As basalt oversub constraints shows it.") var id: String
    @Option(help: "Why.") var reason: String
    @Flag(help: "Only show what would end.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard let id = ID<ScopeConstraint>(id) else {
            throw CommandFailure("\"\(id)\" is not the id of a constraint")
        }
        let ended = try await connection.connected(surroundings) { client, _ in
            try await client.endConstraint(id, reason: reason, dryRun: dryRun)
        }
        output.show(try RateTables(now: surroundings.now()).constraint(ended), surroundings)
        return .done
    }
}
