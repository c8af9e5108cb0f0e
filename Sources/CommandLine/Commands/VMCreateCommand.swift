internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct VMGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Makes virtual machines.",
        subcommands: [VMCreateCommand.self, VMAdoptCommand.self])
}

struct VMCreateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates a VM.")

    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var vm: VMOptions
    @Flag(help: "Only show where it would go.") var dryRun = false
    @Flag(help: "Return when it runs.") var wait = false
    @Option(help: "Longest --wait, such as 5m.") var timeout = "5m"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let timeout = try DurationText.parse(timeout)
        let metadata = WireDraft.Metadata(
            name: name, labels: try vm.labels)
        let draft = WireDraft(
            kind: Kind.vm.rawValue, metadata: metadata, spec: try Serialization.tree(try vm.checked()))
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: .vm, connection)
            if dryRun {
                let answer = try await client.dryRunCreate(draft, in: collection)
                return output.show(try presentation(of: answer), surroundings)
            }
            var document = try await client.create(draft, in: collection)
            if wait {
                let waiter = ConditionWaiter(client: client, collection: collection, name: name)
                let running = AwaitedCondition.state(WorkloadState.running.rawValue)
                try await waiter.wait(for: running, timeout: timeout, surroundings)
                document = try await client.get(name, in: collection)
            }
            let table = DocumentTable(kind: .vm, now: surroundings.now())
            output.show(table.presentation(of: document), surroundings)
        }
        return .done
    }

    private func presentation(of dryRun: DryRun) throws -> Presentation {
        let presentation = DocumentTable(kind: .vm, now: dryRun.document.metadata.createdAt)
            .presentation(of: dryRun.document)
        guard let explanation = dryRun.explanation else { return presentation }
        return Presentation(
            presentation.blocks + [.lines(PlacementLines(explanation: explanation).lines)],
            names: presentation.names,
            value: .object([
                "document": presentation.value, "explanation": try Serialization.tree(explanation),
            ]))
    }
}
