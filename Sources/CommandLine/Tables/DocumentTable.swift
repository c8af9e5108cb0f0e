internal import APITypes
internal import Fleet

/// Documents of one kind as rows.
struct DocumentTable {
    let kind: Kind
    /// Whether rows say which project they are of.
    var showsProject = false
    let now: Timestamp

    /// A list as `get` shows it.
    func presentation(of documents: [WireDocument], resourceVersion: String) -> Presentation {
        Presentation([.table(table(of: documents))], names: documents.map(\.reference)) {
            let items = documents.map(\.tree)
            return .object(["items": .array(items), "resourceVersion": .string(resourceVersion)])
        }
    }

    /// One document as `get NAME` shows it.
    func presentation(of document: WireDocument) -> Presentation {
        Presentation([.table(table(of: [document]))], names: [document.reference]) { document.tree }
    }

    func table(of documents: [WireDocument]) -> Table {
        var columns = [Table.Column("NAME", minimum: 12)]
        if showsProject { columns.append(.init("PROJECT", minimum: 8)) }
        columns += fields.map(\.column)
        columns += [.init("GENERATION", .wide, .right), .init("UID", .wide), .init("AGE", .always, .right)]
        return Table(columns, documents.map(row))
    }

    private func row(_ document: WireDocument) -> [Text] {
        let metadata = document.metadata
        var cells = [Text(metadata.name)]
        if showsProject { cells.append(Text(optional: metadata.project)) }
        cells += fields.map { $0.value(document) }
        cells += [
            Text(String(metadata.generation)), Text(metadata.uid.description),
            Text(DurationText.short(now.since(metadata.createdAt))),
        ]
        return cells
    }

    struct Field: Sendable {
        var column: Table.Column
        var value: @Sendable (WireDocument) -> Text

        init(_ column: Table.Column, _ value: @escaping @Sendable (WireDocument) -> Text) {
            self.column = column
            self.value = value
        }
    }

    private var fields: [Field] {
        switch kind {
        case .vm: Self.vm
        case .vmGroup: Self.vmGroup
        case .trainingJob: Self.trainingJob
        case .servingDeployment: Self.servingDeployment
        case .host: Self.host
        case .pool: Self.pool
        case .cell: [Field(.init("DESCRIPTION", .wide)) { Text(optional: $0.spec["description"]?.string) }]
        case .flavor: [Self.cpu, Self.memory, Self.devices]
        case .policy: Self.policy
        case .model: Self.model
        case .project: Self.project
        case .allocation, .plan, .operation, .event, .token: []
        }
    }

    static let cell = Field(.init("CELL", minimum: 8)) { Text(optional: $0.cell) }
    private static let poolName = Field(.init("POOL", minimum: 8)) { Text(optional: $0.spec["pool"]?.string) }
    private static let cpu = Field(.init("CPU", .always, .right)) { Text(optional: $0.resources.cpu) }
    private static let memory = Field(.init("MEMORY", .always, .right)) {
        Text(optional: $0.resources.memory)
    }
    private static let devices = Field(.init("GPUS", .always, .left, minimum: 6)) {
        Text(optional: $0.deviceSummary)
    }

    private static let vm = [
        Field(.init("STATE")) { $0.stateText }, cell,
        Field(.init("HOST", minimum: 8)) { Text(optional: $0.status?["host"]?.string) },
        cpu, memory, devices,
        Field(.init("FLAVOR", .wide)) { Text(optional: $0.spec["flavor"]?.string) },
        Field(.init("CLASS", .wide)) { Text($0.spec["class"]?.string ?? WorkloadClass.standard.rawValue) },
        Field(.init("POOL", .wide)) { Text(optional: $0.spec["pool"]?.string) },
        Field(.init("RESTARTS", .wide, .right)) { Text(String($0.status?["restarts"]?.integer ?? 0)) },
    ]

    private static let vmGroup = [
        Field(.init("STATE")) { $0.stateText },
        Field(.init("WANTED", .always, .right)) {
            Text(optional: $0.spec["replicas"]?.integer.map(String.init))
        },
        Field(.init("PLACED", .always, .right)) { Text(String($0.status?["placed"]?.integer ?? 0)) },
        Field(.init("RUNNING", .always, .right)) { Text(String($0.status?["running"]?.integer ?? 0)) },
        Field(.init("PLACEMENT")) {
            Text($0.spec["placement"]?.string ?? VMGroupSpec.Placement.any.rawValue)
        },
        Field(.init("APART", minimum: 6)) {
            Text($0.spec["antiAffinity"]?.string ?? VMGroupSpec.Separation.none.rawValue)
        },
        Field(.init("CELL", minimum: 8)) {
            Text(optional: $0.spec["template"]?["spec"]?["cell"]?.string ?? $0.cell)
        },
    ]

    private static let host = [
        Field(.init("CONTACT")) { $0.contactText },
        Field(.init("SCHEDULING")) { $0.schedulingText }, cell, poolName,
        Field(.init("CPU", .always, .right)) { Text(optional: $0.capacity.cpu) },
        Field(.init("MEMORY", .always, .right)) { Text(optional: $0.capacity.memory) },
        Field(.init("GPUS", .always, .right)) {
            $0.devicesText
        },
        Field(.init("ZONE", .wide)) { Text(optional: $0.status?["inventory"]?["domain"]?["zone"]?.string) },
        Field(.init("RACK", .wide)) { Text(optional: $0.status?["inventory"]?["domain"]?["rack"]?.string) },
        Field(.init("SUBSTRATE", .wide)) { Text(optional: $0.status?["inventory"]?["substrate"]?.string) },
        Field(.init("SESSION", .wide)) { Text(optional: $0.status?["session"]?.string) },
        Field(.init("REASON", .wide)) { Text(optional: $0.spec["cordonReason"]?.string) },
    ]

    private static let pool = [
        cell,
        Field(.init("ADMITS")) {
            Text(optional: $0.spec["admits"]?.array?.compactMap(\.string).joined(separator: ","))
        },
        Field(.init("PLACEMENT")) {
            let document = $0.spec["policies"]?["placement"]?.string.map { "policy/\($0)" }
            return Text(document ?? $0.spec["placement"]?.string ?? PoolSpec.Placement.bestFit.rawValue)
        },
        Field(.init("PREDICTOR", .wide)) {
            let inUse = $0.status?["predictor"]
            return Text(optional: inUse?["model"]?.string.map { "model/\($0)" } ?? inUse?["form"]?.string)
        },
        Field(.init("CPU-RATIO", .always, .right)) {
            let document = $0.spec["policies"]?["oversubscription"]?.string.map { "policy/\($0)" }
            return Text(document ?? Quantity.cpu($0.spec["cpuRatioPerMille"]?.integer ?? 1000))
        },
    ]

    private static let policy = [
        Field(.init("TYPE")) { Text(optional: $0.spec["type"]?.string) },
        Field(.init("SCORE")) { Text(optional: $0.spec["placement"]?["score"]?.string) },
        Field(.init("MODE", .roomy)) { Text(optional: $0.spec["oversubscription"]?["mode"]?.string) },
        Field(.init("VERSION", .always, .right)) { Text(String($0.metadata.generation)) },
        Field(.init("DESCRIPTION", .wide)) { Text(optional: $0.spec["description"]?.string) },
    ]

    private static let model = [
        Field(.init("STATE")) { document in
            let state = document.status?["state"]?.string ?? ModelStatus.State.candidate.rawValue
            return Text(state, state == ModelStatus.State.promoted.rawValue ? .good : .plain)
        },
        Field(.init("FOR")) { Text(optional: $0.promotedFor) },
        Field(.init("FORM")) { Text(optional: $0.spec["form"]?.string) },
        Field(.init("VMS", .always, .right)) {
            Text(optional: $0.spec["training"]?["vms"]?.integer.map(String.init))
        },
        Field(.init("TREES", .always, .right)) {
            Text(optional: $0.spec["metrics"]?["trees"]?.integer.map(String.init))
        },
        Field(.init("ERROR", .always, .right)) {
            Text(optional: $0.spec["metrics"]?["validationErrorPerMille"]?.integer.map(Quantity.thousandths))
        },
        Field(.init("BYTES", .wide, .right)) { Text(optional: $0.spec["bytes"]?.integer.map(String.init)) },
        Field(.init("DATA", .wide)) { Text(optional: $0.spec["training"]?["dataHash"]?.string) },
        Field(.init("MADE-FOR", .wide)) { Text(optional: $0.spec["origin"]?["pool"]?.string) },
    ]

    private static let project = [
        Field(.init("CPU-QUOTA", .always, .right)) {
            Text(optional: $0.spec["quota"]?["milliCPU"]?.integer.map(Quantity.cpu))
        },
        Field(.init("MEMORY-QUOTA", .always, .right)) {
            Text(optional: $0.spec["quota"]?["memoryMiB"]?.integer.map(Quantity.memory))
        },
        Field(.init("GPU-QUOTA", .always, .right)) {
            Text(optional: $0.spec["quota"]?["devices"]?.integer.map(String.init))
        },
    ]
}

extension WireDocument {
    /// The document as JSON; spec and status are that already.
    var tree: JSONValue {
        var members: [String: JSONValue] = [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "spec": spec,
            // why: metadata holds strings, integers and times, which all are JSON
            "metadata": (try? Serialization.tree(metadata)) ?? .null,
        ]
        members["status"] = status
        return .object(members)
    }

    /// `vm/web-1`, as `-o name` shows it.
    var reference: String {
        "\((Kind(rawValue: kind) ?? Kind(named: kind))?.singular ?? kind.lowercased())/\(metadata.name)"
    }

    fileprivate typealias Amounts = (cpu: String?, memory: String?)

    var cell: String? { spec["cell"]?.string ?? status?["cell"]?.string }
    fileprivate var resources: Amounts { Self.amounts(spec["resources"]) }
    fileprivate var capacity: Amounts { Self.amounts(status?["inventory"]?["capacity"]) }

    private static func amounts(_ value: JSONValue?) -> Amounts {
        (
            value?["milliCPU"]?.integer.map(Quantity.cpu),
            value?["memoryMiB"]?.integer.map(Quantity.memory)
        )
    }

    /// Where a model is in force.
    fileprivate var promotedFor: String? {
        let scopes = (status?["promotions"]?.array ?? []).filter { $0["until"] == nil }.map {
            ModelScope(cell: $0["scope"]?["cell"]?.string, pool: $0["scope"]?["pool"]?.string).words
        }
        return scopes.isEmpty ? nil : scopes.joined(separator: ", ")
    }

    fileprivate var deviceSummary: String? {
        spec["devices"]?.array?.map { device in
            "\(device["model"]?.string ?? "?")×\(device["count"]?.integer ?? 0)"
        }.joined(separator: ",")
    }

    /// A document that is being deleted says so, whatever its status says.
    var stateText: Text {
        if metadata.deletionTimestamp != nil { return Text("Deleting", .warning) }
        let state = status?["state"]?.string
        let tone = state.flatMap(WorkloadState.init)?.tone ?? state.flatMap(TrainingJobState.init)?.tone
        return Text(state ?? "-", tone ?? .plain)
    }

    fileprivate var contactText: Text {
        switch status?["contact"]?.string.flatMap(HostContact.init) {
        case .ready: Text(HostContact.ready.rawValue, .good)
        case .suspect: Text(HostContact.suspect.rawValue, .warning)
        case .fenced: Text(HostContact.fenced.rawValue, .bad)
        case nil: Text("-")
        }
    }

    /// All devices, or the healthy ones of all of them.
    fileprivate var devicesText: Text {
        let devices = status?["inventory"]?["devices"]?.array ?? []
        let sound = Device.Health.healthy.rawValue
        let healthy = devices.count { ($0["health"]?.string ?? sound) == sound }
        return healthy == devices.count
            ? Text(String(devices.count)) : Text("\(healthy)/\(devices.count)", .bad)
    }

    fileprivate var schedulingText: Text {
        switch spec["repair"]?["state"]?.string {
        case HostRepair.State.open.rawValue?: return Text("repair", .bad)
        case HostRepair.State.repaired.rawValue?: return Text("verifying", .warning)
        default: break
        }
        if spec["draining"] == .bool(true) { return Text("draining", .warning) }
        return spec["cordoned"] == .bool(true) ? Text("cordoned", .warning) : Text("enabled")
    }
}

extension WorkloadState {
    var tone: Text.Tone {
        switch self {
        case .running: .good
        case .pending, .scheduled, .stopping, .unknown: .warning
        case .failed, .quarantined: .bad
        }
    }
}
