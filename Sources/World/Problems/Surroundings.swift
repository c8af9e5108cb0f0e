internal import FaultLab
internal import Fleet

/// What stands around the control plane and has no part of its own in a world: devices, disks, stores, jobs,
/// engines, and the inside of the database.
///
/// Of these a world keeps what monitoring would say, and what would put them right. It is a model of symptoms:
/// nothing runs slower because a modelled store is slow. What a world does simulate never stands here.
enum Surroundings {
    /// A series of one class of things: what it is when all is well, and when it is a symptom.
    struct Signal: Sendable {
        /// First word of the components that have it.
        var kind: String
        /// Which of the kind; empty is all.
        var names: [String] = []
        var series: String
        var healthy: Double
        var alert: AlertName
        var isBad: @Sendable (Double) -> Bool
        var text: String
    }

    /// A fault and what is seen of it. Texts in braces stand for the problem's names.
    struct Model: Sendable {
        var kind: FaultKind
        /// Of the fault's parameters; nil is any.
        var value: String?
        /// Component, series and what it shows.
        var shows: [(component: String, series: String, value: Double)]
        /// Component, level and message, said again and again.
        var says: [(component: String, level: String, message: String)] = []
        /// Verbs that put it right together, in any order; each list is another way.
        var cures: [[ActionVerb]]
        /// What cures may be done to, beside what is at fault and its host.
        var objects: [String] = []
        /// Until a cure helps.
        var seconds = 10
    }

    static func model(of fault: Fault) -> Model? {
        models.first { $0.kind == fault.kind && ($0.value == nil || $0.value == fault.parameters.value) }
    }

    /// Kinds that are modelled here.
    static let kinds = Set(models.map(\.kind))

    /// Jobs, one for each cell, that stand on the cell's hosts with devices.
    static func job(of cell: String) -> String { "train-\(cell.suffix(1))" }
    static let service = "chat"
    static let replicas = ["chat-0", "chat-1"]
    /// A session of the database that problems end.
    static let session = "4711"
    static let devicesOfHost = 8

    /// Everything that has a series, by its kind.
    static func components(_ configuration: WorldConfiguration) -> [String: [ComponentName]] {
        var found: [String: [ComponentName]] = [:]
        func add(_ kind: String, _ names: [String]) {
            found[kind, default: []] += names.map { ComponentName(kind: kind, $0) }
        }
        for machine in configuration.machines {
            add("host", [machine.host])
            add("agent", [machine.host])
            add("disk", [machine.host])
            add("nic", ["\(machine.host)/eth0"])
            guard machine.hasDevices else { continue }
            let devices = (0..<devicesOfHost).map { "\(machine.host)/\($0)" }
            add("gpu", devices)
            add("nvlink", devices)
        }
        add("job", Set(configuration.machines.map { job(of: $0.cell) }).sorted())
        add("controller", (0..<configuration.controllers).map(WorldConfiguration.controllerName))
        add("store", ["ckpt", "images"])
        add("db", ["primary", "standby", "table/leases", "role/controller"])
        add("predictor", ["lifetime", "utilisation"])
        add("policy", Set(configuration.machines.map(\.pool)).sorted() + ["serving-\(service)"])
        add("router", [service])
        add("path", ["prefill<->decode"])
        add("vm", ProblemFleet.residents(configuration).map(\.name))
        return found
    }
}

extension AlertRule {
    init(_ signal: Surroundings.Signal) {
        self.init(name: signal.alert, series: signal.series, isBad: signal.isBad, text: signal.text)
    }
}
