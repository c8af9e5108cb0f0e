internal import FaultLab

extension Surroundings {
    static let signals: [Signal] =
        devices + machines + work + control

    private static func below(
        _ limit: Double, _ kind: String, _ names: [String] = [], _ series: String, _ healthy: Double,
        _ alert: AlertName, _ text: String
    ) -> Signal {
        Signal(
            kind: kind, names: names, series: series, healthy: healthy, alert: alert, isBad: { $0 < limit },
            text: text)
    }

    private static func from(
        _ limit: Double, _ kind: String, _ names: [String] = [], _ series: String, _ healthy: Double,
        _ alert: AlertName, _ text: String
    ) -> Signal {
        Signal(
            kind: kind, names: names, series: series, healthy: healthy, alert: alert, isBad: { $0 >= limit },
            text: text)
    }

    private static let devices = [
        below(1, "gpu", [], "gpu_on_bus", 1, .gpuLost, "does not answer on its bus"),
        from(1, "gpu", [], "gpu_ecc_uncorrected", 0, .gpuMemoryErrors, "uncorrected memory errors"),
        from(50, "gpu", [], "gpu_ecc_corrected_hour", 1, .gpuCorrectedErrors, "corrected memory errors"),
        from(1, "gpu", [], "gpu_remap_failures", 0, .gpuRemapFailed, "a row was not remapped"),
        from(1, "gpu", [], "gpu_processor_timeouts", 0, .gpuStalled, "calls to its processor time out"),
        from(87, "gpu", [], "gpu_celsius", 61, .gpuHot, "hot, and slower for it"),
        from(2, "gpu", [], "gpu_claims", 1, .gpuClaimedTwice, "claimed more than once"),
        below(16, "gpu", [], "gpu_bus_lanes", 16, .gpuBusNarrow, "its bus has fewer lanes than it should"),
        below(18, "nvlink", [], "nvlink_lanes_up", 18, .nvlinkDown, "links are down"),
    ]

    private static let machines = [
        from(0.98, "host", [], "disk_used_share", 0.41, .diskFull, "a file system is full"),
        from(0.95, "host", [], "connections_used_share", 0.12, .connectionsFull, "no room for connections"),
        below(1, "host", [], "gpu_persistence", 1, .driverUnloads, "drivers are loaded anew for each job"),
        from(1, "host", [], "memory_kills", 0, .memoryKills, "processes were ended for want of memory"),
        from(1, "disk", [], "disk_errors", 0, .diskErrors, "reads fail now and then"),
        from(0.95, "nic", [], "nic_used_share", 0.2, .nicSaturated, "sends as much as it may"),
        below(1, "agent", [], "agent_version_current", 1, .agentOutdated, "another version than the fleet's"),
        from(1, "agent", [], "agent_unauthorized", 0, .agentUnauthorized, "calls are answered 401"),
        from(20, "vm", [], "vm_steal_percent", 1, .vmStarved, "waits for cores"),
        from(600, "vm", [], "migration_seconds", 0, .migrationSlow, "a migration does not end"),
        from(1, "vm", [], "vm_orphaned_claims", 0, .claimOrphaned, "claims room where it does not run"),
    ]

    private static let work = [
        from(1.3, "job", [], "job_step_ratio", 1, .jobSlow, "steps take longer than they did"),
        below(1, "job", [], "job_progress", 1, .jobStuck, "no step for minutes"),
        from(3, "job", [], "job_loss_spikes", 0, .jobLossSpikes, "the loss jumps"),
        from(1, "job", [], "job_device_errors", 0, .jobDeviceErrors, "GPU errors wherever it runs"),
        from(30, "store", ["ckpt"], "checkpoint_seconds", 4, .checkpointsSlow, "saving takes long"),
        below(
            1, "store", ["ckpt"], "checkpoint_verified", 1, .checkpointsUnreadable,
            "the newest fails its test"),
        from(1, "store", ["images"], "image_mismatches", 0, .imagesDamaged, "an image is not what it was"),
        from(3, "router", [], "router_skew", 1.1, .routerSkewed, "one replica gets most requests"),
        from(1.5, "router", [], "router_retry_ratio", 1, .routerRetries, "requests are asked again"),
        from(
            0.5, "path", ["prefill<->decode"], "handoff_seconds", 0.02, .handoffSlow,
            "handing over takes long"),
        from(
            1, "policy", ["serving-\(service)"], "engine_preemptions", 0, .enginesPreempt,
            "engines run out of room"),
    ]

    private static let control = [
        from(1, "controller", [], "controller_clock_jumps", 0, .clockJumps, "the clock jumps to and fro"),
        below(1, "controller", [], "resolver_current", 1, .resolverStale, "finds a former address"),
        from(1, "db", ["table/leases"], "db_lock_seconds", 0, .databaseLocked, "sessions wait for a lock"),
        from(
            0.95, "db", ["role/controller"], "db_connections_share", 0.3, .databaseFull, "no more connections"
        ),
        from(1, "db", ["role/controller"], "db_denied", 0, .databaseDenies, "permission is denied"),
        from(1e6, "db", ["primary"], "db_oldest_transaction_age", 1200, .databaseBloats, "old rows stay"),
        from(60, "db", ["standby"], "db_standby_lag_seconds", 0.1, .databaseLags, "the standby falls behind"),
        from(
            0.5, "predictor", ["lifetime"], "predictor_error", 0.1, .predictionsOff, "predictions are far off"
        ),
        from(
            7, "predictor", ["utilisation"], "predictor_age_days", 1, .predictorOld, "was not fitted for long"
        ),
        below(1, "policy", [], "policy_effective", 1, .policyIgnored, "its rules have no effect"),
    ]
}
