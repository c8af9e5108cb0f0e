internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct DescribeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Shows one document with its conditions and events.")

    @Argument(help: "cell, pool, host, flavor, project or vm.") var kind: String
    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// Enough to see what happened to one document lately.
    private static let eventLimit = 20

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let kind = try Kind.document(kind)
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: kind, connection)
            let document = try await client.get(name, in: collection)
            var selector = "kind=\(kind.rawValue),name=\(name)"
            if let project = collection.project { selector += ",project=\(project)" }
            let events = try await client.events(
                ListOptions(limit: ListOptions.largestPage, fieldSelector: selector))
            let description = DocumentDescription(
                document: document, events: events.items.suffix(Self.eventLimit), now: surroundings.now())
            output.show(try description.presentation, surroundings)
        }
        return .done
    }
}
