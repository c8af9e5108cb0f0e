internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct LabelCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Sets and removes labels of a document.")

    @OptionGroup var edit: MetadataEdit

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.run(.labels, surroundings)
    }
}

struct AnnotateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate", abstract: "Sets and removes annotations of a document.")

    @OptionGroup var edit: MetadataEdit

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.run(.annotations, surroundings)
    }
}

/// What `label` and `annotate` take.
struct MetadataEdit: ParsableArguments {
    enum Member: String {
        case labels, annotations
    }

    @Argument(help: "cell, pool, host, flavor, project, vm or vmgroup.") var kind: String
    @Argument var name: String
    @Argument(help: "KEY=VALUE sets, KEY- removes.") var changes: [String]
    @Flag(help: "Change the value of a key that has another one.") var overwrite = false
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    /// The new value of each key; nil removes it.
    static func parse(_ changes: [String]) throws -> [(key: String, value: String?)] {
        var parsed: [(key: String, value: String?)] = []
        for change in changes {
            let sides = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let isRemoval = sides.count == 1 && change.hasSuffix("-")
            let key = String(isRemoval ? change.dropLast() : sides[0])
            guard !key.isEmpty, isRemoval || sides.count == 2 else {
                throw CommandFailure("\"\(change)\" is no change; write KEY=VALUE to set and KEY- to remove")
            }
            guard !parsed.contains(where: { $0.key == key }) else {
                throw CommandFailure("\"\(key)\" is given twice")
            }
            parsed.append((key, isRemoval ? nil : String(sides[1])))
        }
        return parsed
    }

    func run(_ member: Member, _ surroundings: Surroundings) async throws -> ExitStatus {
        let kind = try Kind.document(kind)
        let changes = try Self.parse(changes)
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: kind, connection)
            var document = try await client.get(name, in: collection)
            let present =
                member == .labels ? document.metadata.labels : document.metadata.annotations
            let needed = changes.filter { present[$0.key] != $0.value }
            for change in needed where !overwrite && change.value != nil {
                guard let value = present[change.key] else { continue }
                throw CommandFailure(
                    "\(change.key) is \"\(value)\"; add --overwrite to change it", status: .refused)
            }
            if !needed.isEmpty {
                let values = needed.map { ($0.key, $0.value.map(JSONValue.string) ?? .null) }
                let patch = JSONValue.object([
                    "metadata": .object([
                        member.rawValue: .object([String: JSONValue](uniqueKeysWithValues: values))
                    ])
                ])
                document = try await client.patch(
                    name, in: collection, with: patch, match: .version(of: document))
            }
            let table = DocumentTable(kind: kind, now: surroundings.now())
            output.show(table.presentation(of: document), surroundings)
        }
        return .done
    }
}
