/// What `basaltd` exposes. Gauges of a cell are exposed by the controller that holds its lease.
public enum DaemonMetric: String, MetricKey {
    case info = "basalt_info"
    case folded = "basalt_metrics_folded_total"
    case httpRequests = "basalt_http_requests_total"
    case httpSeconds = "basalt_http_request_seconds"
    case httpInFlight = "basalt_http_requests_in_flight"
    case watchers = "basalt_watchers"
    case transactions = "basalt_db_transactions_total"
    case transactionRetries = "basalt_db_transaction_retries_total"
    case transactionSeconds = "basalt_db_transaction_seconds"
    case connections = "basalt_db_connections"
    case connectionWaiters = "basalt_db_connection_waiters"
    case feedEntries = "basalt_feed_entries_total"
    case feedLag = "basalt_feed_lag_seconds"
    case leaseHeld = "basalt_cell_lease_held"
    case leasesLost = "basalt_cell_leases_lost_total"
    case cycles = "basalt_cell_cycle_seconds"
    case cycleFailures = "basalt_cell_cycle_failures_total"
    case plans = "basalt_plans_total"
    case groups = "basalt_plan_groups_total"
    case placements = "basalt_placements_total"
    case pending = "basalt_pending_vms"
    case pendingOldest = "basalt_pending_oldest_seconds"
    case hosts = "basalt_hosts"
    case hostsFenced = "basalt_hosts_fenced_total"
    case devices = "basalt_devices"
    case hostsInRepair = "basalt_hosts_in_repair"
    case allocations = "basalt_allocations"
    case quarantined = "basalt_quarantined_allocations"
    case breakerTripped = "basalt_breaker_tripped_domains"
    case stranded = "basalt_pool_stranded_ratio"
    case obtainable = "basalt_pool_obtainable_vms"
    case sessionPolls = "basalt_agent_session_polls"
    case hellos = "basalt_agent_session_hellos_total"
    case reports = "basalt_agent_session_reports_total"
    case partsReported = "basalt_agent_session_parts_total"
    case usageBins = "basalt_usage_bins_total"

    public var definition: MetricDefinition {
        switch self {
        case .info: .init(.gauge, "1", ["version", "build"], "Always 1; the labels say what runs.")
        case .folded: .init(.counter, "values", ["metric"], "Values counted as other: a label had too many.")
        case .httpRequests, .httpSeconds, .httpInFlight, .watchers: http
        case .transactions, .transactionRetries, .transactionSeconds, .connections, .connectionWaiters:
            database
        case .feedEntries: .init(.counter, "entries", "Entries of the change feed read.")
        case .feedLag:
            .init(
                .gauge, "seconds",
                "How far readers may be behind what is committed: since the end was read, or hidden by a transaction."
            )
        case .leaseHeld, .leasesLost, .cycles, .cycleFailures, .plans, .groups, .placements:
            planning
        case .pending, .pendingOldest, .hosts, .hostsFenced, .devices, .hostsInRepair, .allocations,
            .quarantined,
            .breakerTripped:
            fleet
        case .stranded, .obtainable: room
        case .sessionPolls, .hellos, .reports, .partsReported, .usageBins: sessions
        }
    }

    private var http: MetricDefinition {
        switch self {
        case .httpRequests:
            .init(
                .counter, "requests", ["method", "route", "status"],
                "Requests answered; route is the template of the path.")
        case .httpSeconds:
            .init(
                .histogram(MetricDefinition.latencies), "seconds", ["route"],
                "Time until the head of the answer; long-polls wait by intention.")
        case .httpInFlight: .init(.gauge, "requests", "Requests whose answer has not begun.")
        default: .init(.gauge, "watches", ["kind"], "Open watch streams.")
        }
    }

    private var database: MetricDefinition {
        switch self {
        case .transactions:
            .init(
                .counter, "transactions", ["transaction", "outcome"],
                "Transactions that ended; outcome is committed, failed or unknown.")
        case .transactionRetries:
            .init(
                .counter, "attempts", ["transaction", "cause"],
                "Attempts repeated; cause is serialization or deadlock.")
        case .transactionSeconds:
            .init(
                .histogram(MetricDefinition.latencies), "seconds", ["transaction"],
                "Time of a transaction with all its attempts, without the wait for a connection.")
        case .connections:
            .init(.gauge, "connections", ["state"], "Connections; state is idle, leased or connecting.")
        default: .init(.gauge, "callers", "Callers that wait for a connection.")
        }
    }

    private var planning: MetricDefinition {
        switch self {
        case .leaseHeld: .init(.gauge, "1", ["cell"], "1 while this controller holds the cell's lease.")
        case .leasesLost: .init(.counter, "leases", ["cell"], "Leases lost rather than given back.")
        case .cycles:
            .init(
                .histogram(MetricDefinition.latencies), "seconds", ["cell"],
                "Time of a pipeline's cycle that had something to do.")
        case .cycleFailures: .init(.counter, "cycles", ["cell"], "Cycles that ended in an error.")
        case .plans: .init(.counter, "plans", ["cell", "engine"], "Plans committed, in whole or in part.")
        case .groups:
            .init(
                .counter, "groups", ["cell", "outcome"],
                "Groups of committed plans; outcome is committed or the reason of the refusal.")
        default: .init(.counter, "allocations", ["cell"], "Allocations committed.")
        }
    }

    private var fleet: MetricDefinition {
        switch self {
        case .pending:
            .init(.gauge, "VMs", ["cell", "reason"], "VMs without an allocation, by the reason they wait.")
        case .pendingOldest: .init(.gauge, "seconds", ["cell"], "Age of the oldest VM that waits.")
        case .hosts:
            .init(.gauge, "hosts", ["cell", "contact"], "Hosts by contact: ready, suspect or fenced.")
        case .hostsFenced: .init(.counter, "hosts", ["cell"], "Hosts declared fenced.")
        case .devices:
            .init(
                .gauge, "devices", ["cell", "health"],
                "Devices by health: healthy, degraded, failed or unknown. Others than healthy take nothing new."
            )
        case .hostsInRepair:
            .init(
                .gauge, "hosts", ["cell"], "Hosts that are out of service to be mended, or have to show it.")
        case .allocations:
            .init(.gauge, "allocations", ["cell", "state"], "Allocations that are not released, by state.")
        case .quarantined:
            .init(.gauge, "allocations", ["cell"], "Allocations that an agent runs and nobody asked for.")
        default:
            .init(
                .gauge, "domains", ["cell"],
                "Failure domains in which so many hosts are lost that a human is asked.")
        }
    }

    private var room: MetricDefinition {
        switch self {
        case .stranded:
            .init(
                .gauge, "ratio", ["cell", "pool", "resource"],
                "CPU or memory that stays free when hosts are filled up with VMs like those of the last day.")
        default:
            .init(
                .gauge, "VMs", ["cell", "pool", "size"],
                "VMs of the size of the pool's largest host, or a half or quarter of it, that fit now.")
        }
    }

    private var sessions: MetricDefinition {
        switch self {
        case .sessionPolls: .init(.gauge, "polls", "Polls of agent sessions that wait here.")
        case .hellos: .init(.counter, "hellos", "Sessions that began here.")
        case .reports:
            .init(.counter, "reports", "Reports of agents taken here; each renews its session's leases.")
        case .usageBins: .init(.counter, "bins", "Bins of what VMs used that agents told of here.")
        default: .init(.counter, "parts", ["outcome"], "Parts reported; outcome is taken or refused.")
        }
    }
}
