public import Fleet

/// The names of all actions of an agent.
public enum ActionVerb: String, Sendable, Hashable, ClosedWord {
    case getAlerts = "get_alerts"
    case getLogs = "get_logs"
    case getMetrics = "get_metrics"
    case getTraces = "get_traces"
    case getEvents = "get_events"
    case getInventory = "get_inventory"
    case getTopology = "get_topology"
    case getPolicy = "get_policy"
    case diffPolicy = "diff_policy"
    case getDatabaseHealth = "get_db_health"
    case execReadOnly = "exec_readonly"

    case cordon
    case uncordon
    case drain
    case fence
    case rebootHost = "reboot_host"
    case restartAgent = "restart_agent"
    case upgradeAgent = "upgrade_agent"
    case restartController = "restart_controller"
    case resumeReconciler = "resume_reconciler"
    case resetGPU = "reset_gpu"
    case markGPU = "mark_gpu"
    case evacuate
    case cancelMigration = "cancel_migration"
    case restartWorkload = "restart_workload"
    case deleteWorkload = "delete_workload"
    case setWorkload = "set_workload"
    case releaseClaim = "release_claim"
    case restoreCheckpoint = "restore_checkpoint"
    case rollbackPolicy = "rollback_policy"
    case rollbackModel = "rollback_model"
    case setQuota = "set_quota"
    case recountQuota = "recount_quota"
    case setLabel = "set_label"
    case rotateCredential = "rotate_credential"
    case restoreGrant = "restore_grant"
    case terminateDatabaseSession = "terminate_db_session"
    case failoverDatabase = "failover_db"
    case tuneDatabase = "tune_db"
    case scale
    case setRouteWeights = "set_route_weights"
    case deadLetter = "dead_letter"
    case requestRepair = "request_repair"
    case silenceAlert = "silence_alert"
    case wait

    case submit
}

extension ActionVerb {
    public var signature: ActionSignature {
        let (access, parameters, documentation) = described
        return ActionSignature(
            verb: self, access: access, parameters: parameters, documentation: documentation)
    }

    private typealias Description = (ActionSignature.Access, [ActionSignature.Parameter], String)

    private var described: Description { looking ?? acting ?? repairing ?? ending }

    private var looking: Description? {
        switch self {
        case .getAlerts: (.read, [], "Alerts that fire now, and since when.")
        case .getLogs:
            (
                .read,
                [
                    .required("target"), .optional("since_s", .integer, .integer(300)), .optional("level"),
                    .optional("contains"), .optional("cursor", .integer),
                ],
                "Log lines of a component, newest last; repeated lines are counted. `*` is every component."
            )
        case .getMetrics:
            (
                .read,
                [
                    .required("query"), .optional("range_s", .integer, .integer(300)),
                    .optional("step_s", .integer, .integer(15)),
                ],
                "Series whose name or component begins with the query: least, median, 95th percentile, most, "
                    + "last, and at most 60 points each."
            )
        case .getTraces:
            (
                .read,
                [
                    .required("service"), .optional("since_s", .integer, .integer(300)),
                    .optional("only_errors", .bool, .bool(false)),
                ], "Spans of a service, the slowest first."
            )
        case .getEvents:
            (.read, [.optional("target")], "Events of the fleet with their reasons, newest last.")
        case .getInventory:
            (
                .read, [.required("kind"), .optional("filter")],
                "Rows of one kind: host, gpu, vm, agent, controller, policy, migration, quota, model."
            )
        case .getTopology:
            (.read, [.optional("depth", .integer, .integer(2))], "Zones, racks, hosts and what they carry.")
        case .getPolicy:
            (
                .read, [.required("name"), .optional("revision", .integer)],
                "A policy, or one of its revisions."
            )
        case .diffPolicy:
            (
                .read, [.required("name"), .required("a", .integer), .required("b", .integer)],
                "What changed between two revisions of a policy."
            )
        case .getDatabaseHealth:
            (.read, [], "Sessions, locks, replication and slow statements of the database.")
        case .execReadOnly:
            (
                .read, [.required("host"), .required("command")],
                "A command of a short list on a host: nvidia-smi -q, ss, df, journalctl, pressure."
            )
        case .wait: (.read, [.optional("seconds", .integer, .integer(60))], "Lets time pass: 1 to 600 s.")
        default: nil
        }
    }

    private var acting: Description? {
        switch self {
        case .cordon: (.write, [.required("host")], "Nothing more is placed on the host.")
        case .uncordon: (.write, [.required("host")], "The host takes workloads again.")
        case .drain:
            (
                .write, [.required("host"), .optional("deadline_s", .integer, .integer(600))],
                "Cordons the host and moves its workloads away."
            )
        case .fence:
            (.write, [.required("host")], "Declares the host powered off, so that its workloads may restart.")
        case .rebootHost: (.write, [.required("host")], "Power cycles the host. What runs on it stops.")
        case .restartAgent: (.write, [.required("host")], "Restarts the host's agent; workloads go on.")
        case .upgradeAgent: (.write, [.required("host")], "Brings the agent to the fleet's version.")
        case .restartController: (.write, [.required("controller")], "Restarts one controller.")
        case .resumeReconciler: (.write, [.required("kind")], "Ends the pause of a reconciler.")
        case .resetGPU: (.write, [.required("gpu")], "Resets an idle GPU.")
        case .markGPU:
            (
                .write, [.required("gpu"), .required("state")],
                "Sets a GPU's state: healthy, unhealthy (not placed on) or excluded (to be replaced)."
            )
        case .evacuate: (.write, [.required("workload")], "Moves one workload to another host.")
        case .cancelMigration: (.write, [.required("vm")], "Ends a migration; the source goes on.")
        case .restartWorkload: (.write, [.required("workload")], "Stops and starts one workload.")
        case .deleteWorkload: (.write, [.required("workload")], "Deletes one workload for good.")
        case .setWorkload:
            (
                .write, [.required("workload"), .required("field"), .required("value")],
                "Changes one field of a workload's specification."
            )
        case .releaseClaim:
            (
                .write, [.required("workload"), .required("object")],
                "Ends a workload's claim of a host or GPU under a new epoch."
            )
        case .restoreCheckpoint:
            (
                .write, [.required("job"), .required("checkpoint")],
                "Continues a training job from a checkpoint; `latest-valid` is the newest that was checked."
            )
        default: nil
        }
    }

    private var repairing: Description? {
        switch self {
        case .rollbackPolicy:
            (
                .write, [.required("name"), .optional("revision", .integer)],
                "Makes a former revision of a policy current; without one, the one before."
            )
        case .rollbackModel: (.write, [.required("model")], "Makes the former revision of a model current.")
        case .setQuota:
            (
                .write, [.required("tenant"), .required("field"), .required("value", .integer)],
                "Sets a quota: cpu (milli), memory (MiB) or gpu."
            )
        case .recountQuota: (.write, [.required("tenant")], "Counts what a tenant uses anew.")
        case .setLabel:
            (
                .write, [.required("host"), .required("key"), .required("value")],
                "Sets a label of a host."
            )
        case .rotateCredential: (.write, [.required("id")], "Issues a new credential and revokes the old.")
        case .restoreGrant: (.write, [.required("id")], "Gives back the rights a role has by its document.")
        case .terminateDatabaseSession: (.write, [.required("pid", .integer)], "Ends a database session.")
        case .failoverDatabase: (.write, [], "Promotes the standby and fences the old primary.")
        case .tuneDatabase:
            (
                .write, [.required("object"), .required("setting")],
                "Restores what an object of the database should have: index, autovacuum, limit, slot."
            )
        case .scale:
            (.write, [.required("service"), .required("replicas", .integer)], "Sets a number of replicas.")
        case .setRouteWeights:
            (
                .write, [.required("router"), .required("weights", .mapping)],
                "Sets the shares of a router's replicas; an empty mapping is equal shares."
            )
        case .deadLetter:
            (
                .write, [.required("queue"), .required("message")],
                "Takes one message out of a queue and keeps it for a human."
            )
        case .requestRepair:
            (
                .write, [.required("component"), .optional("note")],
                "Asks the people on site, or the owner, to put a component right: a path, NIC, switch, disk, "
                    + "store, clock, name entry, cooling or GPU. Takes minutes."
            )
        case .silenceAlert: (.write, [.required("alert")], "Stops an alert from firing for an hour.")
        default: nil
        }
    }

    private var ending: Description {
        (
            .submit, [.optional("solution", .mapping), .optional("confidence")],
            "Ends the stage with your answer. detection: \"Yes\" or \"No\"; localisation: a list of at most "
                + "five components, the likeliest first; analysis: a mapping with system_level and "
                + "fault_type; mitigation: nothing, the fleet itself is judged."
        )
    }
}
