internal import FaultLab

extension Surroundings {
    static let models: [Model] = devices + machines + work + database + policies

    private static func xid(_ code: Int, _ text: String) -> (
        component: String, level: String, message: String
    ) {
        // As the driver's line in the kernel log.
        ("host/{host}", "error", "NVRM: Xid (PCI:0000:3b:00): \(code), \(text)")
    }

    private static let devices: [Model] = [
        Model(
            kind: .deviceXID, value: "79", shows: [("gpu/{device}", "gpu_on_bus", 0)],
            says: [xid(79, "GPU has fallen off the bus.")], cures: [[.rebootHost]], seconds: 60),
        Model(
            kind: .deviceXID, value: "64", shows: [("gpu/{device}", "gpu_remap_failures", 1)],
            says: [xid(64, "Failed to remap row.")], cures: [[.markGPU], [.requestRepair]]),
        Model(
            kind: .deviceXID, value: "119", shows: [("gpu/{device}", "gpu_processor_timeouts", 4)],
            says: [xid(119, "Timeout after 6s of waiting for RPC response from GPU0 GSP.")],
            cures: [[.resetGPU], [.rebootHost]]),
        Model(
            kind: .deviceECC, value: "94", shows: [("gpu/{device}", "gpu_ecc_uncorrected", 1)],
            says: [xid(94, "Contained memory error.")], cures: [[.resetGPU]]),
        Model(
            kind: .deviceECC, value: "95", shows: [("gpu/{device}", "gpu_ecc_uncorrected", 7)],
            says: [xid(95, "Uncontained memory error.")], cures: [[.resetGPU], [.rebootHost]]),
        Model(
            kind: .deviceECC, value: "92", shows: [("gpu/{device}", "gpu_ecc_corrected_hour", 400)],
            says: [xid(92, "High single-bit ECC error rate.")], cures: [[.requestRepair]]),
        Model(
            kind: .deviceThermal, shows: [("gpu/{device}", "gpu_celsius", 95)],
            says: [("host/{host}", "warning", "gpu clocks: hardware thermal slowdown")],
            cures: [[.requestRepair]], objects: ["cooling/{host}"], seconds: 60),
        Model(
            kind: .deviceNVLink, shows: [("nvlink/{device}", "nvlink_lanes_up", 12)],
            says: [xid(74, "NVLink: fatal error detected on link 3.")], cures: [[.resetGPU]]),
        Model(
            kind: .doubleClaim, shows: [("gpu/{device}", "gpu_claims", 2)],
            says: [("agent/{host}", "error", "device is held by two parts")], cures: [[.releaseClaim]],
            objects: ["{job}", "job/{job}"]),
        Model(
            kind: .surroundings, value: "wrongResults", shows: [("job/{job}", "job_loss_spikes", 6)],
            says: [
                ("host/{host}", "warning", "self-test of gpu {device}: sums differ between runs"),
                ("job/{job}", "warning", "loss jumped; the gradient of one rank is out of line"),
            ], cures: [[.markGPU, .restoreCheckpoint]], objects: ["{job}", "job/{job}"]),
        Model(
            kind: .surroundings, value: "busLanes", shows: [("gpu/{device}", "gpu_bus_lanes", 4)],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .surroundings, value: "jobErrors", shows: [("job/{job}", "job_device_errors", 5)],
            says: [
                ("job/{job}", "error", "Xid 31 on every host it ran on: MMU fault at the same call")
            ], cures: [[.restartWorkload]], objects: ["{job}", "job/{job}"]),
        Model(
            kind: .surroundings, value: "driverUnloads", shows: [("host/{host}", "gpu_persistence", 0)],
            cures: [[.requestRepair]], objects: ["setting/{host}/persistence"]),
    ]

    private static let machines: [Model] = [
        Model(
            kind: .diskFull, shows: [("host/{host}", "disk_used_share", 1)],
            says: [("agent/{host}", "error", "write of the state failed: no space left on device")],
            cures: [[.requestRepair]], objects: ["disk/{host}"], seconds: 60),
        Model(
            kind: .surroundings, value: "diskErrors", shows: [("disk/{host}", "disk_errors", 9)],
            says: [("host/{host}", "error", "blk_update_request: I/O error, dev nvme0n1")],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .surroundings, value: "bandwidth", shows: [("nic/{host}/eth0", "nic_used_share", 1)],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .surroundings, value: "connections",
            shows: [("host/{host}", "connections_used_share", 1)],
            says: [("host/{host}", "warning", "nf_conntrack: table full, dropping packet")],
            cures: [[.requestRepair]], objects: ["setting/{host}/conntrack"]),
        Model(
            kind: .surroundings, value: "agentVersion",
            shows: [("agent/{agent}", "agent_version_current", 0)],
            says: [("agent/{agent}", "warning", "a command of a newer protocol was refused")],
            cures: [[.upgradeAgent]]),
        Model(
            kind: .surroundings, value: "credential", shows: [("agent/{agent}", "agent_unauthorized", 30)],
            says: [("agent/{agent}", "error", "401: the credential has run out")],
            cures: [[.rotateCredential]]),
        Model(
            kind: .noisyNeighbour, shows: [("vm/{vm}", "vm_steal_percent", 45)], cures: [[.evacuate]],
            objects: ["{vm}"]),
        Model(
            kind: .migrationStuck, shows: [("vm/{vm}", "migration_seconds", 2400)],
            says: [("vm/{vm}", "warning", "memory is written faster than it is copied: 95 %")],
            cures: [[.cancelMigration]]),
        Model(
            kind: .surroundings, value: "orphanedClaim", shows: [("vm/{vm}", "vm_orphaned_claims", 1)],
            says: [("host/{host}", "warning", "room is claimed for vm/{vm}, which runs elsewhere")],
            cures: [[.releaseClaim]], objects: ["vm/{vm}"]),
    ]

    private static let work: [Model] = [
        Model(
            kind: .straggler, shows: [("job/{job}", "job_step_ratio", 1.6)],
            says: [("job/{job}", "warning", "the rank on {host} reaches the collective last")],
            cures: [[.evacuate]], objects: ["job/{job}"]),
        Model(
            kind: .surroundings, value: "collective", shows: [("job/{job}", "job_progress", 0)],
            says: [("job/{job}", "error", "watchdog: collective timed out on all ranks but 4")],
            cures: [[.restoreCheckpoint], [.restartWorkload]], objects: ["{job}"]),
        Model(
            kind: .checkpointFailure, shows: [("store/ckpt", "checkpoint_verified", 0)],
            says: [("store/ckpt", "error", "the newest checkpoint of {job} has no manifest")],
            cures: [[.requestRepair, .restoreCheckpoint]], objects: ["job/{job}"], seconds: 60),
        Model(
            kind: .surroundings, value: "slowCheckpoints", shows: [("store/ckpt", "checkpoint_seconds", 48)],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .surroundings, value: "slowCheckpointsCascade",
            shows: [("store/ckpt", "checkpoint_seconds", 52), ("job/{job}", "job_step_ratio", 1.5)],
            says: [("job/{job}", "warning", "all ranks wait for a checkpoint to be saved")],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .surroundings, value: "readers",
            shows: [("host/{host}", "memory_kills", 3), ("job/{job}", "job_step_ratio", 1.4)],
            says: [("host/{host}", "error", "out of memory: killed process of {job}: data reader")],
            cures: [[.setWorkload]], objects: ["job/{job}", "{job}"]),
        Model(
            kind: .surroundings, value: "images", shows: [("store/images", "image_mismatches", 2)],
            says: [("store/images", "error", "sum of an image differs from its name")],
            cures: [[.requestRepair]], seconds: 60),
        Model(
            kind: .engineOverload, shows: [("router/{service}", "router_skew", 4.6)],
            cures: [[.setRouteWeights]], objects: ["service/{service}"]),
        Model(
            kind: .surroundings, value: "retries", shows: [("router/{service}", "router_retry_ratio", 3)],
            says: [("router/{service}", "warning", "clients gave up before the answer and asked again")],
            cures: [[.setRouteWeights]], objects: ["service/{service}"]),
        Model(
            kind: .kvLinkDegraded, shows: [("path/prefill<->decode", "handoff_seconds", 2.5)],
            cures: [[.requestRepair]], seconds: 60),
    ]

    private static let database: [Model] = [
        Model(
            kind: .storeLockHeld, shows: [("db/table/leases", "db_lock_seconds", 300)],
            says: [
                ("db/primary", "warning", "process {session} holds AccessExclusiveLock on relation leases")
            ], cures: [[.terminateDatabaseSession]], objects: ["session/{session}"]),
        Model(
            kind: .storeConnectionsExhausted, shows: [("db/role/controller", "db_connections_share", 1)],
            says: [("db/primary", "error", "too many connections for role controller")],
            cures: [[.tuneDatabase]]),
        Model(
            kind: .storeRoleLimit, shows: [("db/role/controller", "db_denied", 12)],
            says: [("db/primary", "error", "permission denied for table leases")], cures: [[.restoreGrant]]),
        Model(
            kind: .surroundings, value: "vacuum", shows: [("db/primary", "db_oldest_transaction_age", 4e6)],
            says: [("db/primary", "warning", "oldest transaction is far in the past: process {session}")],
            cures: [[.terminateDatabaseSession, .tuneDatabase]], objects: ["session/{session}"]),
        Model(
            kind: .surroundings, value: "standby", shows: [("db/standby", "db_standby_lag_seconds", 900)],
            says: [("db/standby", "warning", "the slot of the standby keeps what was not replayed")],
            cures: [[.tuneDatabase]]),
        Model(
            kind: .surroundings, value: "resolver",
            shows: [("controller/{controller}", "resolver_current", 0)],
            says: [("controller/{controller}", "error", "cannot execute in a read-only transaction")],
            cures: [[.requestRepair, .restartController]], objects: ["resolver/{controller}"]),
        Model(
            kind: .surroundings, value: "clockJumps",
            shows: [("controller/{controller}", "controller_clock_jumps", 8)], cures: [[.requestRepair]],
            objects: ["clock/{controller}"]),
    ]

    private static let policies: [Model] = [
        Model(
            kind: .badPolicyDocument, shows: [("policy/{policy}", "policy_effective", 0)],
            says: [("policy/{policy}", "warning", "a document without rules was loaded")],
            cures: [[.rollbackPolicy]]),
        Model(
            kind: .surroundings, value: "serving",
            shows: [("policy/serving-{service}", "engine_preemptions", 40)],
            says: [("router/{service}", "warning", "engines end requests for want of memory")],
            cures: [[.rollbackPolicy]]),
        Model(
            kind: .wrongLifetimes, shows: [("predictor/lifetime", "predictor_error", 2.3)],
            cures: [[.rollbackModel]]),
        Model(
            kind: .surroundings, value: "modelAge",
            shows: [("predictor/utilisation", "predictor_age_days", 30)],
            cures: [[.rollbackModel]]),
    ]
}
