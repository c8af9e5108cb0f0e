internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct AllocationGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocation", abstract: "Decides what becomes of parts that were found running.",
        subcommands: [AllocationAdoptCommand.self, AllocationReleaseCommand.self])
}

struct AllocationAdoptCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Takes a quarantined allocation over as the writer of its workload.",
        discussion: "The workload's document is made anew where it is gone.")

    @Argument(help: "Id, as basalt get allocations shows it.") var id: String
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let id = try AllocationGroup.id(id)
        let adopted = try await connection.connected(surroundings) { client, _ in
            try await client.adopt(allocation: id, dryRun: dryRun)
        }
        output.show(
            try AllocationGroup.presentation(of: adopted, dryRun ? "adopted (dry run)" : "adopted"),
            surroundings)
        return .done
    }
}

struct AllocationReleaseCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Stops what runs under a quarantined allocation.")

    @Argument(help: "Id, as basalt get allocations shows it.") var id: String
    @Option(help: "Why, for the log.") var reason: String
    @Flag(help: "What runs may be stopped.") var confirm = false
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let id = try AllocationGroup.id(id)
        guard confirm || dryRun else {
            throw CommandFailure(
                "releasing stops what runs under the allocation; give --confirm", status: .refused)
        }
        let released = try await connection.connected(surroundings) { client, _ in
            try await client.release(allocation: id, reason: reason, dryRun: dryRun)
        }
        output.show(
            try AllocationGroup.presentation(of: released, dryRun ? "releasing (dry run)" : "releasing"),
            surroundings)
        return .done
    }
}

struct VMAdoptCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Takes over a VM that was found running without an allocation.")

    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let adopted = try await connection.connected(surroundings) { client, connection in
            let project = try projectOption.name(connection)
            let found = try await client.allocations(ListOptions(fieldSelector: "workload=\(name)")).items
                .filter { $0.quarantined && $0.state.consumesCapacity && $0.workload.project == project }
            guard let one = found.first, found.count == 1 else {
                throw CommandFailure(
                    found.isEmpty
                        ? "no quarantined allocation of vm \(name) in project \(project)"
                        : "\(found.count) quarantined allocations of vm \(name): choose one with "
                            + "basalt allocation adopt")
            }
            return try await client.adopt(allocation: one.id)
        }
        output.show(try AllocationGroup.presentation(of: adopted, "adopted"), surroundings)
        return .done
    }
}

extension AllocationGroup {
    static func id(_ text: String) throws -> ID<Allocation> {
        guard let id = ID<Allocation>(text) else {
            throw CommandFailure("\"\(text)\" is no id of an allocation")
        }
        return id
    }

    static func presentation(of allocation: Allocation, _ word: String) throws -> Presentation {
        let workload = "\(allocation.workload.project)/\(allocation.workload.name)"
        return Presentation(
            [.lines(["allocation/\(allocation.id) of \(workload) \(word)"])],
            names: ["allocation/\(allocation.id)"], value: try Serialization.tree(allocation))
    }
}
