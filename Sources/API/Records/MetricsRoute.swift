internal import Hummingbird
internal import Telemetry

/// `GET /metrics` in Prometheus' text format, for every role that may read.
struct MetricsRoute {
    let metrics: MetricRegistry<DaemonMetric>
    let gather: @Sendable () -> Void

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/metrics") { _, _ in
            self.gather()
            return JSONAnswer.response(
                self.metrics.text, type: MetricRegistry<DaemonMetric>.contentType)
        }
    }
}
