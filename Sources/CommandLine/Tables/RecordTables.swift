internal import APITypes
internal import Fleet

/// Records that are no documents, as rows.
struct RecordTables {
    let now: Timestamp

    func allocations(_ items: [Allocation], resourceVersion: String) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("STATE"), .init("WORKLOAD", minimum: 12), .init("CELL", minimum: 6),
                .init("CPU", .always, .right), .init("MEMORY", .always, .right),
                .init("GPUS", .always, .right), .init("PART", .wide), .init("CLASS", .wide),
                .init("HOST", .wide), .init("PLAN", .wide), age,
            ],
            items.map { item in
                [
                    Text(item.id.description),
                    Text(item.isStandby ? "standby" : item.state.rawValue, item.quarantined ? .bad : .plain),
                    Text("\(item.workload.project)/\(item.workload.name)"), Text(item.cell),
                    Text(Quantity.cpu(item.resources.milliCPU)),
                    Text(Quantity.memory(item.resources.memoryMiB)), Text(String(item.devices.count)),
                    Text(item.workload.part), Text(item.class.rawValue), Text(item.host.description),
                    Text(optional: item.plan?.description), age(item.createdAt),
                ]
            })
        return try list(table, items, resourceVersion, names: items.map { "allocation/\($0.id)" })
    }

    func operations(_ items: [OperationRecord], resourceVersion: String) throws -> Presentation {
        try list(table(of: items), items, resourceVersion, names: items.map { "operation/\($0.id)" })
    }

    func operation(_ item: OperationRecord) throws -> Presentation {
        Presentation(
            [.table(table(of: [item]))], names: ["operation/\(item.id)"],
            value: try Serialization.tree(item))
    }

    func events(_ items: [EventRecord], resourceVersion: String) throws -> Presentation {
        try list(table(of: items), items, resourceVersion, names: items.map { "event/\($0.id)" })
    }

    /// Newest first.
    func audit(_ rows: [AuditRecord]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME", minimum: 14), .init("VERB", minimum: 8), .init("ACTOR", minimum: 10),
                .init("OUTCOME"), .init("PROJECT", .roomy), .init("REQUEST", .wide), .init("TIME", .wide),
                .init("ID", .wide, .right), age,
            ],
            rows.map { row in
                [
                    Text(row.kind.map { "\($0.singular)/\(row.name)" } ?? row.name), Text(row.verb),
                    Text(row.actor), row.refused ? Text("refused", .bad) : Text("done"),
                    Text(optional: row.project), Text(optional: row.requestID), Text(row.at.description),
                    Text(String(row.id)), age(row.at),
                ]
            })
        return Presentation(
            [.table(table)], names: rows.map { "audit/\($0.id)" },
            value: .object(["items": .array(try rows.map { try Serialization.tree($0) })]))
    }

    func tokens(_ tokens: [TokenSummary]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME", minimum: 12), .init("ROLE"), .init("PROJECTS", minimum: 10),
                .init("EXPIRES"),
            ],
            tokens.map { token in
                [
                    Text(token.name), Text(token.role.rawValue),
                    Text(token.projects?.joined(separator: ",") ?? "all"),
                    token.expiresAt.map { $0 <= now ? Text("expired", .warning) : Text($0.description) }
                        ?? "never",
                ]
            })
        return Presentation(
            [.table(table)], names: tokens.map { "token/\($0.name)" },
            value: .object(["items": .array(try tokens.map { try Serialization.tree($0) })]))
    }

    /// Names what the event is about first: that is what people look for.
    func table(of events: [EventRecord]) -> Table {
        Table(
            [
                .init("NAME", minimum: 14), .init("REASON"), .init("SOURCE", minimum: 8),
                .init("MESSAGE", minimum: 20), .init("PROJECT", .wide), .init("TIME", .wide),
                .init("ID", .wide, .right), age,
            ],
            events.map { event in
                [
                    Text("\(event.kind.singular)/\(event.name)"), Text(event.reason.rawValue),
                    Text(event.source), Text(event.message), Text(optional: event.project),
                    Text(event.at.description), Text(String(event.id)), age(event.at),
                ]
            })
    }

    private func table(of operations: [OperationRecord]) -> Table {
        Table(
            [
                .init("NAME"), .init("VERB"), .init("TARGET", minimum: 10), .init("STATE"),
                .init("DONE", .always, .right), .init("MESSAGE", .wide), age,
            ],
            operations.map { item in
                [
                    Text(item.id.description), Text(item.verb), Text(item.target),
                    Text(item.state.rawValue, item.state.tone), Text(item.progress), Text(item.message),
                    age(item.createdAt),
                ]
            })
    }

    private var age: Table.Column { .init("AGE", .always, .right) }
    private func age(_ time: Timestamp) -> Text { Text(DurationText.short(now.since(time))) }

    private func list(
        _ table: Table, _ items: [some Encodable], _ resourceVersion: String, names: [String]
    ) throws -> Presentation {
        let values = try items.map { try Serialization.tree($0) }
        return Presentation(
            [.table(table)], names: names,
            value: .object(["items": .array(values), "resourceVersion": .string(resourceVersion)]))
    }
}

extension OperationRecord {
    /// `3/10`, or a dash while unknown.
    var progress: String {
        guard let done, let total else { return "-" }
        return "\(done)/\(total)"
    }
}

extension OperationRecord.State {
    var tone: Text.Tone {
        switch self {
        case .running: .warning
        case .succeeded: .good
        case .failed: .bad
        case .cancelled: .plain
        }
    }
}
