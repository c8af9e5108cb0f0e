internal import APITypes
internal import Fleet

/// Everything about one document, for people.
struct DocumentDescription {
    var document: WireDocument
    var events: [EventRecord]
    var now: Timestamp

    var presentation: Presentation {
        get throws {
            var blocks: [Presentation.Block] = [.fields(metadata)]
            blocks += [.heading("Spec"), .fields(Self.flattened(document.spec))]
            let status = (document.status?.object ?? [:]).filter { $0.key != "conditions" }
            if !status.isEmpty { blocks += [.heading("Status"), .fields(Self.flattened(.object(status)))] }
            if let conditions = document.status?["conditions"]?.array, !conditions.isEmpty {
                blocks += [.heading("Conditions"), .table(table(of: conditions))]
            }
            if !events.isEmpty {
                blocks += [.heading("Events"), .table(RecordTables(now: now).table(of: events))]
            }
            var value = try Serialization.tree(document)
            if case .object(var members) = value {
                members["events"] = .array(try events.map { try Serialization.tree($0) })
                value = .object(members)
            }
            return Presentation(blocks, names: [document.reference], value: value)
        }
    }

    private var metadata: [Presentation.Field] {
        let metadata = document.metadata
        var fields = [Presentation.Field("Name", Text(metadata.name)), .init("Kind", Text(document.kind))]
        if let project = metadata.project { fields.append(.init("Project", Text(project))) }
        fields += [
            .init("UID", Text(metadata.uid.description)), .init("Labels", Self.pairs(metadata.labels)),
            .init("Annotations", Self.pairs(metadata.annotations)),
            .init("Generation", Text(String(metadata.generation))),
            .init(
                "Created",
                Text("\(metadata.createdAt) (\(DurationText.short(now.since(metadata.createdAt))) ago)")),
        ]
        if let deletion = metadata.deletionTimestamp {
            fields.append(.init("Deleting", Text("since \(deletion)", .warning)))
            fields.append(
                .init("Held by", Text(optional: metadata.finalizers.sorted().joined(separator: ", "))))
        }
        return fields
    }

    private static func pairs(_ pairs: [String: String]) -> Text {
        Text(
            optional: pairs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        )
    }

    /// Every leaf with its path.
    static func flattened(_ value: JSONValue, path: String = "") -> [Presentation.Field] {
        switch value {
        case .object(let members):
            members.keys.sorted().flatMap { key in
                flattened(members[key] ?? .null, path: path.isEmpty ? key : "\(path).\(key)")
            }
        case .array(let items) where items.contains { $0.object != nil || $0.array != nil }:
            items.enumerated().flatMap { flattened($1, path: "\(path)[\($0)]") }
        case .null: []
        case .array(let items): [.init(path, Text(items.map(scalar).joined(separator: ", ")))]
        case .bool, .integer, .number, .string: [.init(path, Text(scalar(value)))]
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        value.string ?? Serialization.json(value, pretty: false)
    }

    private func table(of conditions: [JSONValue]) -> Table {
        Table(
            [
                .init("NAME"), .init("STATUS"), .init("REASON"), .init("MESSAGE", minimum: 20),
                .init("AGE", .always, .right),
            ],
            conditions.map { condition in
                let time = condition["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
                let status = condition["status"]?.string.flatMap(Condition.Status.init)
                return [
                    Text(optional: condition["type"]?.string), Text(status?.rawValue ?? "-", status.tone),
                    Text(optional: condition["reason"]?.string), Text(optional: condition["message"]?.string),
                    Text(time.map { DurationText.short(now.since($0)) } ?? "-"),
                ]
            })
    }
}

extension Condition.Status? {
    fileprivate var tone: Text.Tone {
        switch self {
        case .yes: .good
        case .no: .bad
        case .unknown: .warning
        case nil: .plain
        }
    }
}
