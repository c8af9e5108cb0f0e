internal import APITypes
internal import ArgumentParser

struct ContextGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context", abstract: "Switches between control planes.",
        subcommands: [ContextListCommand.self, ContextUseCommand.self, ContextShowCommand.self])
}

struct ContextListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the contexts.")

    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let file = try ContextFile.load(surroundings)
        let table = Table(
            [.init("NAME"), .init("CURRENT"), .init("SERVER", minimum: 20), .init("PROJECT")],
            file.contexts.map {
                [
                    Text($0.name), Text($0.name == file.current ? "yes" : "-"), Text($0.server),
                    Text(optional: $0.project),
                ]
            })
        let presentation = Presentation(
            [.table(table)], names: file.contexts.map { "context/\($0.name)" },
            value: .object(["items": try Serialization.tree(file.contexts)]))
        output.show(presentation, surroundings)
        return .done
    }
}

struct ContextUseCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Makes a context the current one.")

    @Argument var name: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var file = try ContextFile.load(surroundings)
        guard let context = try file.context(named: name) else {
            throw CommandFailure("no context \"\(name)\"")
        }
        file.set(context)
        try file.save()
        surroundings.console.write("context/\(name) is current\n")
        return .done
    }
}

struct ContextShowCommand: BasaltCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows one context.")

    @Argument(help: "The current one when absent.") var name: String?
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let file = try ContextFile.load(surroundings)
        guard let context = try file.context(named: name) else {
            throw CommandFailure("no context is current; make one with basalt login")
        }
        let fields: [Presentation.Field] = [
            .init("Name", Text(context.name)), .init("Server", Text(context.server)),
            .init("Token file", Text(optional: context.tokenFile)), .init("CA", Text(optional: context.ca)),
            .init("Project", Text(optional: context.project)),
        ]
        let presentation = Presentation(
            [.fields(fields)], names: ["context/\(context.name)"], value: try Serialization.tree(context))
        output.show(presentation, surroundings)
        return .done
    }
}
