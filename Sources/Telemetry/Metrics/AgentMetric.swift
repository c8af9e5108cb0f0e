/// What `basalt-agent` exposes.
public enum AgentMetric: String, MetricKey {
    case info = "basalt_agent_info"
    case folded = "basalt_agent_metrics_folded_total"
    case callSeconds = "basalt_agent_call_seconds"
    case callFailures = "basalt_agent_call_failures_total"
    case retries = "basalt_agent_retries_total"
    case hellos = "basalt_agent_hellos_total"
    case reportsSent = "basalt_agent_reports_sent_total"
    case reportsAcknowledged = "basalt_agent_reports_acknowledged_total"
    case assignments = "basalt_agent_assignments_total"
    case partsRunning = "basalt_agent_parts_running"
    case partStarts = "basalt_agent_part_starts_total"
    case partStops = "basalt_agent_part_stops_total"
    case partFailures = "basalt_agent_part_failures_total"
    case partsRefused = "basalt_agent_parts_refused_total"
    case ledgerBytes = "basalt_agent_ledger_bytes"
    case ledgerCompactions = "basalt_agent_ledger_compactions_total"
    case devices = "basalt_agent_devices"
    case xids = "basalt_agent_xids_total"
    case xidStrangers = "basalt_agent_xid_strangers_total"
    case kernelLogLost = "basalt_agent_kernel_log_lost_total"
    case kernelLogMalformed = "basalt_agent_kernel_log_malformed_total"

    public var definition: MetricDefinition {
        switch self {
        case .info: .init(.gauge, "1", ["version", "build"], "Always 1; the labels say what runs.")
        case .folded: .init(.counter, "values", ["metric"], "Values counted as other: a label had too many.")
        case .callSeconds:
            .init(
                .histogram(MetricDefinition.latencies), "seconds", ["call"],
                "Time of answered calls; call is hello or report, and a report renews the leases.")
        case .callFailures:
            .init(.counter, "calls", ["call"], "Calls without a usable answer; they are tried again.")
        case .retries: .init(.counter, "calls", "Calls that failed and are tried again.")
        case .hellos: .init(.counter, "sessions", "Sessions begun.")
        case .reportsSent: .init(.counter, "reports", "Reports sent, repeated ones included.")
        case .reportsAcknowledged: .init(.counter, "reports", "Reports that the controllers acknowledged.")
        case .assignments:
            .init(
                .counter, "assignments", ["outcome"],
                "Assignments by outcome: accepted, repeated, older, hash or other.")
        case .partsRunning: .init(.gauge, "parts", "Parts that run now, stopping ones included.")
        case .partStarts: .init(.counter, "parts", "Starts given to the substrate.")
        case .partStops: .init(.counter, "parts", "Stops given to the substrate.")
        case .partFailures: .init(.counter, "parts", "Starts that failed.")
        case .partsRefused: .init(.counter, "parts", "Reported parts that the controllers refused.")
        case .ledgerBytes: .init(.gauge, "bytes", "Size of the ledger on disk.")
        case .ledgerCompactions: .init(.counter, "compactions", "Times that the ledger was written anew.")
        case .devices: .init(.gauge, "devices", ["health"], "Devices that are watched, by their health.")
        case .xids: .init(.counter, "errors", ["code"], "XIDs of the driver since devices are watched.")
        case .xidStrangers:
            .init(.counter, "errors", "XIDs of addresses at which the agent knows no device.")
        case .kernelLogLost:
            .init(.counter, "lines", "Lines of the kernel's log that were gone before they were read.")
        case .kernelLogMalformed:
            .init(.counter, "lines", "Lines of the kernel's log that say XID and are none.")
        }
    }
}
