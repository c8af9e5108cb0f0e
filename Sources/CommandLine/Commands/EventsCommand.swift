internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct EventsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Shows what happened, newest last.")

    @Option(help: "Fields, such as kind=VM,name=web-1,reason=NoHostFits.") var fieldSelector: String?
    @Option(name: .shortAndLong, help: "Events of one project only.") var project: String?
    @Option(help: "How many of the newest to show, at most 1000.") var limit = 100
    @Flag(name: .shortAndLong, help: "Go on showing new ones.") var watch = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// Longest long-poll: below the silence after which the client counts a connection as dead.
    private static let pollWait = Duration.seconds(20)

    func validate() throws {
        guard (1...ListOptions.largestPage).contains(limit) else {
            throw ValidationError("--limit must be between 1 and \(ListOptions.largestPage)")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let selectors = [fieldSelector, project.map { "project=\($0)" }].compactMap { $0 }
        let options = ListOptions(
            limit: limit, fieldSelector: selectors.isEmpty ? nil : selectors.joined(separator: ","))
        try await connection.connected(surroundings) { client, _ in
            var page = try await client.events(options)
            let first = try RecordTables(now: surroundings.now())
                .events(page.items, resourceVersion: page.resourceVersion)
            guard watch else { return output.show(first, surroundings) }
            var stream = StreamRenderer(Renderer(output, surroundings))
            surroundings.console.write(stream.text(of: first))
            // What was younger than an open transaction is shown by the list and follows once more.
            let shown = Set(page.items.map(\.id))
            while true {
                page = try await client.events(after: page.resourceVersion, wait: Self.pollWait, options)
                page.items.removeAll { shown.contains($0.id) }
                guard !page.items.isEmpty else { continue }
                let next = try RecordTables(now: surroundings.now())
                    .events(page.items, resourceVersion: page.resourceVersion)
                surroundings.console.write(stream.text(of: next))
            }
        }
        return .done
    }
}
