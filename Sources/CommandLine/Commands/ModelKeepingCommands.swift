internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation

extension ModelGroup {
    static func show(_ model: WireDocument, _ output: OutputOptions, _ surroundings: Surroundings) {
        let table = DocumentTable(kind: .model, now: surroundings.now())
        output.show(table.presentation(of: model), surroundings)
    }
}

struct ModelListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the models that are kept, and which pools go by them.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await connection.showAll(ModelGroup.collection, .model, output, surroundings)
    }
}

struct ModelGetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows a model: what it learned from, and where it was in force.")

    @Argument var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let model = try await connection.connected(surroundings) { client, _ in
            try await client.get(name, in: ModelGroup.collection)
        }
        ModelGroup.show(model, output, surroundings)
        return .done
    }
}

struct ModelPushCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Keeps a model that basalt model train wrote; no pool goes by it yet.")

    @Argument(help: "File of the model.", completion: .file()) var file: String
    @Option(help: "Name that it is kept under; that of the file when absent.") var name: String?
    @Option(help: "For people.") var description: String?
    @Flag(help: "Only show what would be kept.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let draft = WireDraft(
            kind: Kind.model.rawValue, metadata: .init(name: try modelName),
            spec: try Serialization.tree(
                ModelDraftSpec(description: description, file: try DocumentFile.read(file))))
        let model = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRunCreate(draft, in: ModelGroup.collection).document
                : try await client.create(draft, in: ModelGroup.collection)
        }
        ModelGroup.show(model, output, surroundings)
        return .done
    }

    private var modelName: String {
        get throws {
            let chosen =
                name ?? URL(filePath: file).deletingPathExtension().lastPathComponent.lowercased()
            if let defect = Name.defect(in: chosen) {
                throw CommandFailure("\"\(chosen)\" is no name: it \(defect); give one with --name")
            }
            return chosen
        }
    }
}

struct ModelPullCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Writes the file of a model that is kept.")

    @Argument var name: String
    @Option(help: "File to write.", completion: .file()) var out: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let (model, file) = try await connection.connected(surroundings) { client, _ in
            (try await client.get(name, in: ModelGroup.collection), try await client.modelFile(name))
        }
        try OutputFile.write(file, to: out)
        ModelGroup.show(model, output, surroundings)
        return .done
    }
}

/// Pools that a promotion is about.
struct ModelScopeOptions: ParsableArguments {
    @Option(help: "Pool that goes by the model; all pools when neither pool nor cell is given.")
    var pool: String?
    @Option(help: "Cell whose pools go by the model, but those with one of their own.") var cell: String?

    func validate() throws {
        if pool != nil, cell != nil { throw ValidationError("give --pool or --cell, not both") }
    }
}

struct ModelPromoteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Lets pools go by a model, in the place of the one they go by.",
        discussion: """
            A model that is worse than the one in force is refused with both figures: those of their files when both \
            learned from the same data, else what both say of the fleet's own VMs. Pools go by models when their \
            policy has the predictor gbdt.
            """)

    @Argument var name: String
    @OptionGroup var scope: ModelScopeOptions
    @Flag(help: "Also a model that is worse, or of which nobody can tell.") var force = false
    @Flag(help: "Only find out whether it would be promoted.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let request = ModelVerbRequest(cell: scope.cell, pool: scope.pool, force: force ? true : nil)
        let model = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRunPromoteModel(name, request).document
                : try await client.promoteModel(name, request)
        }
        ModelGroup.show(model, output, surroundings)
        return .done
    }
}

struct ModelRollbackCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Takes a promotion back: pools go by the model that was in force before.")

    @Argument(help: "The model in force.") var name: String
    @OptionGroup var scope: ModelScopeOptions
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let request = ModelVerbRequest(cell: scope.cell, pool: scope.pool)
        let model = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try await client.dryRunRollbackModel(name, request).document
                : try await client.rollbackModel(name, request)
        }
        ModelGroup.show(model, output, surroundings)
        return .done
    }
}

struct ModelDeleteCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes models that no pool goes by.")

    @Argument var names: [String]
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let sources = names.map { name in
            SourcedDraft(
                kind: .model,
                draft: WireDraft(
                    kind: Kind.model.rawValue, metadata: .init(name: name), spec: .object([:])),
                place: "model delete")
        }
        return try await connection.connected(surroundings) { client, _ in
            try await DocumentLoop.run(sources, output, surroundings) { source in
                _ = try await client.delete(
                    source.draft.metadata.name, in: ModelGroup.collection, dryRun: dryRun)
                return DocumentOutcome(source, dryRun ? "deleted (dry run)" : "deleted")
            }
        }
    }
}
