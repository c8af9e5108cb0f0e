/// An action that changes the fleet.
///
/// Its object is always a component, so that what was written can be compared with what was faulty, whatever
/// the action.
public struct WriteAction: Sendable, Hashable, Codable {
    public var verb: ActionVerb
    /// What it is done to.
    public var object: ComponentName
    /// What else the action was told, by the names of its parameters.
    public var details: [String: ActionValue]

    public init(_ verb: ActionVerb, _ object: ComponentName, details: [String: ActionValue] = [:]) {
        self.verb = verb
        self.object = object
        self.details = details
    }

    init?(_ verb: ActionVerb, _ arguments: BoundArguments) {
        guard verb.signature.access == .write else { return nil }
        self.verb = verb
        details = arguments.rest(after: Self.object(of: verb)?.parameter)
        guard let (parameter, kind) = Self.object(of: verb) else {
            object = ComponentName(kind: "db", "primary")
            return
        }
        let name = ComponentName(arguments.text(parameter))
        // Names are taken with their kind or without it.
        let isWhole = kind.isEmpty || name.kind == kind && !name.path.isEmpty
        object = isWhole ? name : ComponentName(kind: kind, name.description)
    }

    /// The parameter that names the object, and the kind that may be left out.
    private static func object(of verb: ActionVerb) -> (parameter: String, kind: String)? {
        switch verb {
        case .cordon, .uncordon, .drain, .fence, .rebootHost, .setLabel: ("host", "host")
        case .restartAgent, .upgradeAgent: ("host", "agent")
        case .restartController: ("controller", "controller")
        case .resumeReconciler: ("kind", "reconciler")
        case .resetGPU, .markGPU: ("gpu", "gpu")
        case .evacuate, .restartWorkload, .deleteWorkload, .setWorkload, .releaseClaim: ("workload", "")
        case .cancelMigration: ("vm", "vm")
        case .restoreCheckpoint: ("job", "job")
        case .rollbackPolicy: ("name", "policy")
        case .rollbackModel: ("model", "predictor")
        case .setQuota, .recountQuota: ("tenant", "quota")
        case .rotateCredential, .restoreGrant: ("id", "")
        case .terminateDatabaseSession: ("pid", "session")
        case .tuneDatabase: ("object", "")
        case .scale: ("service", "service")
        case .setRouteWeights: ("router", "router")
        case .deadLetter: ("queue", "queue")
        case .requestRepair: ("component", "")
        case .silenceAlert: ("alert", "alert")
        default: nil
        }
    }

    public func text(_ name: String) -> String? { details[name]?.asText }
    public func integer(_ name: String) -> Int? { details[name]?.asInteger }
}

extension BoundArguments {
    /// All but one.
    func rest(after name: String?) -> [String: ActionValue] { all.filter { $0.key != name } }
}
