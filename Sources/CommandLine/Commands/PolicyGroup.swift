internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct PolicyGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Says what engines go by, and goes back to what they went by.",
        subcommands: [
            PolicyListCommand.self, PolicyGetCommand.self, PolicySetCommand.self, PolicyDeleteCommand.self,
            PolicyHistoryCommand.self, PolicyDiffCommand.self, PolicyRollbackCommand.self,
        ])

    static let collection = Collection(.policy)
}

struct PolicyListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the policies.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await connection.showAll(PolicyGroup.collection, .policy, output, surroundings)
    }
}

struct PolicyGetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows a policy, or a version of it.")

    @Argument var name: String
    @Option(help: "One of basalt policy history instead of the one in force.") var version: Int?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let presentation = try await connection.connected(surroundings) { client, _ in
            guard let version else {
                let table = DocumentTable(kind: .policy, now: surroundings.now())
                return table.presentation(of: try await client.get(name, in: PolicyGroup.collection))
            }
            let found = try await client.version(version, of: name, in: PolicyGroup.collection)
            return try VersionTable(name: name, now: surroundings.now()).presentation(of: found)
        }
        output.show(presentation, surroundings)
        return .done
    }
}

struct PolicySetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Makes a policy of VM placement, or a new version of it.")

    @Argument var name: String
    @Option(help: "What orders the hosts that a VM fits on, such as best-fit or gated-lava.")
    var score: String
    @Option(help: "What predicts lifetimes: km, lognormal or gbdt; left as it is when absent.")
    var predictor: String?
    @Option(help: "Model to go by, whichever is promoted, with gbdt; left as it is when absent.")
    var model: String?
    @Option(help: "Fleet hours between models made of the pool's own VMs; left as it is when absent.")
    var retrainEvery: Int?
    @Option(help: "For people; left as it is when absent.") var description: String?
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard let score = PoolSpec.Placement(rawValue: score) else {
            throw CommandFailure(
                NearestChoice.refusal("score", score, among: PoolSpec.Placement.offered))
        }
        let predictor = try chosenPredictor
        return try await connection.connected(surroundings) { client, connection in
            let current = try await client.find(name, in: PolicyGroup.collection)
            var rules =
                try current?.spec["placement"].map { try Serialization.value(PlacementRules.self, from: $0) }
                ?? PlacementRules(score: score)
            rules.score = score
            rules.predictor = predictor ?? rules.predictor
            rules.model = model ?? rules.model
            if let retrainEvery {
                rules.retraining = rules.retraining ?? RetrainingRules(everyHours: retrainEvery)
                rules.retraining?.everyHours = retrainEvery
            }
            let spec = PolicySpec(
                type: .placement, description: description ?? current?.spec["description"]?.string,
                placement: rules)
            if let defect = spec.defects().first {
                throw CommandFailure("\(defect.field): \(defect.message)")
            }
            let draft = WireDraft(
                kind: Kind.policy.rawValue, metadata: .init(name: name), spec: try Serialization.tree(spec))
            let source = SourcedDraft(kind: .policy, draft: draft, place: "policy set")
            let applier = DocumentApplier(
                client: client, connection: connection, projectOption: projectOption)
            return try await DocumentLoop.run([source], output, surroundings) { source in
                guard dryRun else {
                    return DocumentOutcome(source, try await applier.apply(source).rawValue)
                }
                let outcome = try await applier.dryRun(source).outcome
                return DocumentOutcome(source, "\(outcome.rawValue) (dry run)")
            }
        }
    }

    private var chosenPredictor: PredictorForm? {
        get throws {
            guard let predictor else { return nil }
            guard let form = PredictorForm(rawValue: predictor) else {
                throw CommandFailure(
                    NearestChoice.refusal("predictor", predictor, among: PredictorForm.offered))
            }
            return form
        }
    }
}

struct PolicyDeleteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes policies that no pool names, with their versions.")

    @Argument var names: [String]
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let sources = names.map { name in
            SourcedDraft(
                kind: .policy,
                draft: WireDraft(
                    kind: Kind.policy.rawValue, metadata: .init(name: name), spec: .object([:])),
                place: "policy delete")
        }
        return try await connection.connected(surroundings) { client, _ in
            try await DocumentLoop.run(sources, output, surroundings) { source in
                _ = try await client.delete(
                    source.draft.metadata.name, in: PolicyGroup.collection, dryRun: dryRun)
                return DocumentOutcome(source, dryRun ? "deleted (dry run)" : "deleted")
            }
        }
    }
}
