internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct OversubGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oversub",
        abstract: "Shows and decides how far shared CPU is sold beyond what there is.",
        discussion:
            "The guaranteed class and memory never are. A scope is cell/NAME, pool/NAME or host/NAME.",
        subcommands: [
            OversubGetCommand.self, OversubExplainCommand.self, OversubPolicyCommand.self,
            OversubPinCommand.self, OversubCapCommand.self, OversubExcludeCommand.self,
            OversubKillSwitchCommand.self, OversubConstraintsCommand.self, OversubEndCommand.self,
            OversubDecisionsCommand.self, OversubRiskCommand.self, OversubWhatIfCommand.self,
            OversubReviewGroup.self,
        ])

    static func scope(_ text: String) throws -> RateScope {
        if let scope = RateScope(text) { return scope }
        let level = text.split(separator: "/").first.map(String.init) ?? text
        let nearest = NearestChoice.of(level, among: RateScope.Level.offered) ?? "pool"
        throw CommandFailure("\"\(text)\" is no scope; write it as \(nearest)/NAME")
    }

    /// Reads `1.5` or `1500m`.
    static func ratio(_ text: String) throws -> Int {
        let ratio = try Quantity.milliCPU(text)
        guard RatioLimit.perMille.contains(ratio) else {
            let nearest = min(max(ratio, RatioLimit.perMille.lowerBound), RatioLimit.perMille.upperBound)
            throw CommandFailure(
                "a ratio is 1 to 16 vCPUs per vCPU, not \(text); the nearest is \(Quantity.cpu(nearest))")
        }
        return ratio
    }
}

struct OversubGetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows which ratios are in force, and how full they make the fleet.")

    @Option(help: "Only of this cell.") var cell: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let rates = try await connection.connected(surroundings) { client, _ in
            try await client.rates(cell: cell)
        }
        output.show(try RateTables(now: surroundings.now()).rates(rates), surroundings)
        return .done
    }
}

struct OversubExplainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Shows why a ratio is what it is: of a scope, or of a VM's host.")

    @Argument(help: "cell/NAME, pool/NAME, host/NAME or vm/NAME.") var target: String
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let found = try await connection.connected(surroundings) { client, connection in
            if target.hasPrefix("vm/") {
                let project = try projectOption.name(connection)
                return try await client.rate(ofVM: String(target.dropFirst(3)), project: project)
            }
            return try await client.rate(of: try OversubGroup.scope(target))
        }
        output.show(try RateTables(now: surroundings.now()).explanation(found), surroundings)
        return .done
    }
}

struct OversubPolicyCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Names the policy of a scope, or takes it away.",
        discussion: "Policies themselves are documents: see basalt apply, basalt policy history.")

    @Argument(help: "cell/NAME, pool/NAME or host/NAME.") var scope: String
    @Option(help: "Policy of type oversubscription.") var set: String?
    @Flag(help: "Name none: the next wider scope counts.") var clear = false
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let scope = try OversubGroup.scope(scope)
        guard (set != nil) != clear else { throw CommandFailure("give --set NAME or --clear") }
        let presentation = try await connection.connected(surroundings) { client, _ in
            let collection = Collection(scope.level.kind)
            let current = try await client.get(scope.name, in: collection)
            let patch = JSONValue.object([
                "spec": .object([
                    "policies": .object(["oversubscription": set.map(JSONValue.string) ?? .null])
                ])
            ])
            let match = EntityMatch.version(of: current)
            let table = DocumentTable(kind: scope.level.kind, now: surroundings.now())
            guard dryRun else {
                return table.presentation(
                    of: try await client.patch(scope.name, in: collection, with: patch, match: match))
            }
            let next = try await client.dryRunPatch(
                scope.name, in: collection, with: patch, match: match
            ).document
            return table.presentation(of: next)
        }
        output.show(presentation, surroundings)
        return .done
    }
}

struct OversubConstraintsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "constraints", abstract: "Shows what people decided and what is in force.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let found = try await connection.connected(surroundings) { client, _ in
            try await client.rateConstraints()
        }
        output.show(try RateTables(now: surroundings.now()).constraints(found), surroundings)
        return .done
    }
}

struct OversubDecisionsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions", abstract: "Shows what was decided about ratios, newest first.")

    @Argument(help: "Only of this scope.") var scope: String?
    @Option(help: "Only those that are proposed, approved, applied, superseded or rolled_back.")
    var state: String?
    @Option(help: "So many at most.") var limit = 20
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let scope = try scope.map(OversubGroup.scope)
        let word = try state.map { text in
            guard let word = ScopeDecision.State(rawValue: text) else {
                throw CommandFailure(
                    NearestChoice.refusal("state", text, among: ScopeDecision.State.offered))
            }
            return word
        }
        let found = try await connection.connected(surroundings) { client, _ in
            try await client.rateDecisions(scope: scope, state: word, limit: limit)
        }
        output.show(try RateTables(now: surroundings.now()).decisions(found), surroundings)
        return .done
    }
}

struct OversubRiskCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "risk",
        abstract: "Shows what a ratio risked and gained, day by day, and what is left of its error budget.")

    @Argument(help: "cell/NAME, pool/NAME or host/NAME.") var scope: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let scope = try OversubGroup.scope(scope)
        let found = try await connection.connected(surroundings) { client, _ in
            try await client.risk(of: scope)
        }
        output.show(try RateTables(now: surroundings.now()).risk(found), surroundings)
        return .done
    }
}
