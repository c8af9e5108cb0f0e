internal import APITypes
internal import Fleet

/// Workloads whose engines name their parts.
extension DocumentTable {
    static let trainingJob = [
        Field(.init("STATE")) { $0.stateText },
        Field(.init("STEPS", .always, .right)) {
            "\($0.status?["stepsDone"]?.integer ?? 0)/\($0.spec["steps"]?.integer ?? 0)".text
        },
        Field(.init("GPUS", .always, .right)) {
            let placement = $0.status?["shape"]?["placement"]?.array?.compactMap(\.integer)
            let held = placement.map { String($0.reduce(0, +)) } ?? "-"
            return "\(held)/\($0.spec["devices"]?.integer ?? 0)".text
        },
        Field(.init("PLAN")) { Text(optional: $0.status?["shape"]?["plan"]?.string) },
        Field(.init("CLASS")) { Text($0.spec["class"]?.string ?? TrainingClass.bestEffort.rawValue) },
        Field(.init("REASON", minimum: 8)) { Text(optional: $0.status?["wait"]?["reason"]?.string) },
        Field(.init("MODEL", .wide)) { Text($0.spec["model"]?.string ?? "profile") },
        cell,
        Field(.init("RECONFIGURED", .wide, .right)) {
            Text(String($0.status?["reconfigurations"]?.integer ?? 0))
        },
        Field(.init("RESTARTS", .wide, .right)) { Text(String($0.status?["restarts"]?.integer ?? 0)) },
    ]

    static let servingDeployment = [
        Field(.init("STATE")) { $0.stateText },
        Field(.init("MODEL")) { Text(optional: $0.spec["model"]?.string) },
        Field(.init("PARTS", .always, .right)) { Text(String($0.status?["parts"]?.array?.count ?? 0)) },
        cell,
    ]
}

extension String {
    fileprivate var text: Text { Text(self) }
}

extension TrainingJobState {
    var tone: Text.Tone {
        switch self {
        case .running, .succeeded: .good
        case .pending, .starting, .checkpointing, .stopping, .failing, .unknown: .warning
        case .failed: .bad
        }
    }
}
