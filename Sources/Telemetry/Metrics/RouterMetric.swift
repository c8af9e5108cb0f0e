/// What `basalt-router` exposes.
public enum RouterMetric: String, MetricKey {
    case info = "basalt_router_info"
    case folded = "basalt_router_metrics_folded_total"
    case requests = "basalt_router_requests_total"
    case firstByteSeconds = "basalt_router_first_byte_seconds"
    case answerSeconds = "basalt_router_answer_seconds"
    case retries = "basalt_router_retries_total"
    case cut = "basalt_router_answers_cut_total"
    case refused = "basalt_router_refused_total"
    case underWay = "basalt_router_requests_under_way"
    case connections = "basalt_router_connections"
    case replicaUnderWay = "basalt_router_replica_requests_under_way"
    case replicaFailures = "basalt_router_replica_failures_total"
    case routesVersion = "basalt_router_routes_version"
    case routesStale = "basalt_router_routes_stale"
    case routeFailures = "basalt_router_route_failures_total"

    public var definition: MetricDefinition {
        switch self {
        case .info: .init(.gauge, "1", ["version", "build"], "Always 1; the labels say what runs.")
        case .folded: .init(.counter, "values", ["metric"], "Values counted as other: a label had too many.")
        case .requests:
            .init(
                .counter, "requests", ["status"], "Requests that replicas answered, by status of the answer.")
        case .firstByteSeconds:
            .init(
                .histogram(MetricDefinition.latencies), "seconds",
                "From the last byte of a request to the first of its answer.")
        case .answerSeconds:
            .init(
                .histogram(MetricDefinition.latencies + [30, 60, 120]), "seconds",
                "From the last byte of a request to the last of its answer.")
        case .retries: .init(.counter, "requests", "Requests sent to another replica before an answer began.")
        case .cut: .init(.counter, "answers", "Answers that a replica broke off after their first byte.")
        case .refused:
            .init(
                .counter, "requests", ["code"],
                "Requests that the router answered itself, by code of the error.")
        case .underWay: .init(.gauge, "requests", "Requests that are with replicas.")
        case .connections: .init(.gauge, "connections", "Connections of clients.")
        case .replicaUnderWay:
            .init(
                .gauge, "requests", ["state", "replica"], "Requests by replica; state is serving or draining."
            )
        case .replicaFailures:
            .init(.counter, "failures", ["replica"], "Connections that a replica refused or broke off.")
        case .routesVersion: .init(.gauge, "version", "Version of the routes in force.")
        case .routesStale: .init(.gauge, "1", "1 while the source of routes does not answer.")
        case .routeFailures: .init(.counter, "tries", "Tries to get routes that failed.")
        }
    }
}
