internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct PolicyHistoryCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows the versions of a policy, newest first.")

    @Argument var name: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let versions = try await connection.connected(surroundings) { client, _ in
            try await client.history(of: name, in: PolicyGroup.collection)
        }
        let table = VersionTable(name: name, now: surroundings.now())
        output.show(try table.presentation(of: versions), surroundings)
        return .done
    }
}

struct PolicyDiffCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what changed between two versions of a policy.",
        discussion: "Exits with 0 when the versions are the same and with 2 when they differ.")

    @Argument var name: String
    @Option(help: "Older version; the one before --to when absent.") var from: Int?
    @Option(help: "Newer version; the newest when absent.") var to: Int?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let (before, after) = try await connection.connected(surroundings) { client, _ in
            try await versions(client)
        }
        let difference = UnifiedDifference(
            from: before.map { Serialization.yaml($0.spec) } ?? "", to: Serialization.yaml(after.spec))
        let lines = difference.text(from: before.map(label) ?? "nothing", to: label(after))
        let value = JSONValue.object([
            "from": .integer(before?.version ?? 0), "to": .integer(after.version),
            "lines": .array(lines.map(JSONValue.string)),
        ])
        output.show(Presentation([.lines(lines)], names: ["policy/\(name)"], value: value), surroundings)
        return difference.isEmpty ? .done : .changesPresent
    }

    /// The older one is nil before the first.
    private func versions(
        _ client: RESTClient
    ) async throws -> (before: WireVersion?, after: WireVersion) {
        let collection = PolicyGroup.collection
        let after: WireVersion
        if let to {
            after = try await client.version(to, of: name, in: collection)
        } else if let newest = try await client.history(of: name, in: collection, limit: 1).first {
            after = newest
        } else {
            throw CommandFailure("policy \"\(name)\" has no versions")
        }
        let number = from ?? after.version - 1
        guard from != nil || number > 0 else { return (nil, after) }
        return (try await client.version(number, of: name, in: collection), after)
    }

    private func label(_ version: WireVersion) -> String {
        "policy/\(name) version \(version.version) (\(version.at), \(version.actor))"
    }
}

struct PolicyRollbackCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Gives a policy an earlier spec again, as a new version.")

    @Argument var name: String
    @Option(help: "Version whose spec it gets.") var to: Int
    @Flag(help: "Only show what would change.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let presentation = try await connection.connected(surroundings) { client, _ in
            let collection = PolicyGroup.collection
            let current = try await client.get(name, in: collection)
            let match = EntityMatch.version(of: current)
            let table = DocumentTable(kind: .policy, now: surroundings.now())
            guard dryRun else {
                return table.presentation(
                    of: try await client.rollback(name, in: collection, to: to, match: match))
            }
            let next = try await client.dryRunRollback(name, in: collection, to: to, match: match).document
            let difference = UnifiedDifference(
                from: Serialization.yaml(current.spec), to: Serialization.yaml(next.spec))
            let lines = difference.text(
                from: "policy/\(name) version \(current.metadata.generation)",
                to: "policy/\(name) with the spec of version \(to)")
            let shown = table.presentation(of: next)
            return Presentation([.lines(lines)], names: shown.names, value: shown.value)
        }
        output.show(presentation, surroundings)
        return .done
    }
}
