internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

/// `basalt vmgroup …`; `get`, `describe`, `delete` and `why` take the kind.
struct VMGroupsGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vmgroup", abstract: "Makes and scales groups of VMs.",
        subcommands: [VMGroupCreateCommand.self, VMGroupScaleCommand.self])
}

struct VMGroupCreateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates a group of VMs of one template.")

    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @Option(help: "Members, 1 to \(WorkloadLimit.replicas).") var replicas: Int
    @Option(help: "all: every member gets its host in one plan, or none does; any: each for itself.")
    var placement: String?
    @Option(help: "Members keep apart by host, rack or zone; none when absent.") var apart: String?
    @OptionGroup(title: "Every member") var vm: VMOptions
    @Flag(help: "Only show where the members would go.") var dryRun = false
    @Flag(help: "Return when every member runs.") var wait = false
    @Option(help: "Longest --wait, such as 5m.") var timeout = "5m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let timeout = try DurationText.parse(timeout)
        let draft = WireDraft(
            kind: Kind.vmGroup.rawValue, metadata: .init(name: name),
            spec: try Serialization.tree(try spec()))
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: .vmGroup, connection)
            if dryRun {
                let answer = try await client.dryRunCreate(draft, in: collection)
                return output.show(try Self.presentation(of: answer), surroundings)
            }
            var document = try await client.create(draft, in: collection)
            if wait {
                let waiter = ConditionWaiter(client: client, collection: collection, name: name)
                let running = AwaitedCondition.state(WorkloadState.running.rawValue)
                try await waiter.wait(for: running, timeout: timeout, surroundings)
                document = try await client.get(name, in: collection)
            }
            let table = DocumentTable(kind: .vmGroup, now: surroundings.now())
            output.show(table.presentation(of: document), surroundings)
        }
        return .done
    }

    func spec() throws -> VMGroupSpec {
        let spec = VMGroupSpec(
            replicas: replicas, placement: try placement.map { try VMOptions.choice($0, "placement") },
            antiAffinity: try apart.map { try VMOptions.choice($0, "separation") },
            template: VMTemplate(labels: try vm.labels, spec: try vm.spec()))
        if let defect = spec.defects().first { throw CommandFailure("\(defect.field): \(defect.message)") }
        return spec
    }

    static func presentation(of dryRun: DryRun) throws -> Presentation {
        let document = DocumentTable(kind: .vmGroup, now: dryRun.document.metadata.createdAt)
            .presentation(of: dryRun.document)
        guard let plan = dryRun.plan else { return document }
        return Presentation(
            document.blocks + (try PlanDescription(plan).presentation).blocks, names: document.names,
            value: .object(["document": document.value, "plan": try Serialization.tree(plan)]))
    }
}

struct VMGroupScaleCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Changes how many members a group has.",
        discussion: "Fewer members: those of the highest ordinals are deleted.")

    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @Option(help: "Members, 1 to \(WorkloadLimit.replicas).") var replicas: Int
    @Flag(help: "Return when as many run.") var wait = false
    @Option(help: "Longest --wait, such as 5m.") var timeout = "5m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard (1...WorkloadLimit.replicas).contains(replicas) else {
            throw CommandFailure("--replicas \(replicas) is outside 1 to \(WorkloadLimit.replicas)")
        }
        let timeout = try DurationText.parse(timeout)
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: .vmGroup, connection)
            var document = try await client.get(name, in: collection)
            if document.spec["replicas"]?.integer != replicas {
                let patch = JSONValue.object(["spec": .object(["replicas": .integer(replicas)])])
                document = try await client.patch(
                    name, in: collection, with: patch, match: .version(of: document))
            }
            if wait {
                let waiter = ConditionWaiter(client: client, collection: collection, name: name)
                for path in [".status.replicas", ".status.running"] {
                    let field = try FieldPath(path)
                    try await waiter.wait(
                        for: .field(field, String(replicas)), timeout: timeout, surroundings)
                }
                document = try await client.get(name, in: collection)
            }
            let table = DocumentTable(kind: .vmGroup, now: surroundings.now())
            output.show(table.presentation(of: document), surroundings)
        }
        return .done
    }
}
