internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct AuditCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Shows who changed what, or was refused to, newest first.")

    @Option(help: "Only what happened in this time, such as 2h.") var since: String?
    @Option(help: "Who, such as user/ada or controller/hosts.") var actor: String?
    @Option(help: "What it was about: KIND or KIND/NAME, such as policy/dense.") var subject: String?
    @Option(name: .shortAndLong, help: "Objects of one project only.") var project: String?
    @Option(help: "Such as create, replace, drain, rollback.") var verb: String?
    @Flag(help: "Only what was refused.") var refused = false
    @Option(help: "How many to show at most.") var limit = 100
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be above 0") }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let begin = try since.map { surroundings.now().advanced(by: .zero - (try DurationText.parse($0))) }
        let selector = try fieldSelector()
        let rows = try await connection.connected(surroundings) { client, _ in
            try await read(client, selector, since: begin)
        }
        let tables = RecordTables(now: surroundings.now())
        output.show(try tables.audit(rows), surroundings)
        return .done
    }

    private func fieldSelector() throws -> String? {
        var terms = [actor.map { "actor=\($0)" }, project.map { "project=\($0)" }, verb.map { "verb=\($0)" }]
        if refused { terms.append("refused=true") }
        if let subject {
            let parts = subject.split(separator: "/", maxSplits: 1).map(String.init)
            guard let kind = parts.first.flatMap({ Kind(named: $0) }) else {
                throw CommandFailure(
                    NearestChoice.refusal(
                        "kind", parts.first ?? "", among: Kind.allCases.map { $0.singular }))
            }
            terms.append("kind=\(kind.rawValue)")
            if parts.count == 2 { terms.append("name=\(parts[1])") }
        }
        let found = terms.compactMap { $0 }
        return found.isEmpty ? nil : found.joined(separator: ",")
    }

    /// Pages are read until there are enough, or one goes back beyond `since`.
    private func read(
        _ client: RESTClient, _ selector: String?, since: Timestamp?
    ) async throws -> [AuditRecord] {
        var rows: [AuditRecord] = []
        var options = ListOptions(limit: min(limit, ListOptions.largestPage), fieldSelector: selector)
        while true {
            let page = try await client.audit(options)
            let recent = page.items.prefix { row in since.map { row.at >= $0 } ?? true }
            rows += recent.prefix(limit - rows.count)
            guard rows.count < limit, recent.count == page.items.count, let next = page.nextCursor else {
                return rows
            }
            options.cursor = next
        }
    }
}
