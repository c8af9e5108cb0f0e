/// The documentation's page of both catalogues.
public enum MetricsPage {
    public static let text = """
        # Metrics

        What basaltd, basalt-agent and basalt-router expose to Prometheus, in its text format.

        `basaltd` serves `GET /metrics` on the API's address, to any token of the role `viewer` or above; \
        `basalt-agent` serves it on `--metrics-listen`, to its own machine only; \
        `basalt-router` serves it beside the requests that it forwards. Names, labels and units of this \
        page are stable: one is added or, after a release that says so, taken away, and never changes its \
        meaning. Gauges of a cell come from the controller that holds the cell's lease, so that a sum over \
        controllers counts nothing twice. A label has at most \(MetricRegistry<DaemonMetric>.seriesLimit) values \
        per metric; further ones are counted under `other` and in `basalt_metrics_folded_total`.

        `Charts/basalt/alerts.yaml` holds alert rules over these metrics, and `make metrics-check` tests them.

        ## basaltd

        \(DaemonMetric.table)
        ## basalt-agent

        \(AgentMetric.table)
        ## basalt-router

        \(RouterMetric.table)
        """
}
