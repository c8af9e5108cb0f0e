import Foundation
import Telemetry
import Testing

@Suite struct MetricTests {
    typealias Registry = MetricRegistry<DaemonMetric>

    @Test func `counters, gauges and histograms in Prometheus' text format`() {
        let registry = Registry()
        registry.add(.httpRequests, ["GET", "/v1/\"x\"\\\n", "200"])
        registry.add(.httpRequests, ["GET", "/v1/\"x\"\\\n", "200"], by: 2)
        registry.set(.leaseHeld, ["east"], to: 1)
        registry.observe(.cycles, ["east"], 0.003)
        registry.observe(.cycles, ["east"], 99)
        let text = registry.text
        #expect(
            text.contains(
                #"basalt_http_requests_total{method="GET",route="/v1/\"x\"\\\n",status="200"} 3"# + "\n"))
        #expect(
            text.contains("# TYPE basalt_cell_lease_held gauge\nbasalt_cell_lease_held{cell=\"east\"} 1\n"))
        #expect(text.contains("basalt_cell_cycle_seconds_bucket{cell=\"east\",le=\"0.0025\"} 0\n"))
        #expect(text.contains("basalt_cell_cycle_seconds_bucket{cell=\"east\",le=\"0.005\"} 1\n"))
        #expect(text.contains("basalt_cell_cycle_seconds_bucket{cell=\"east\",le=\"+Inf\"} 2\n"))
        #expect(text.contains("basalt_cell_cycle_seconds_sum{cell=\"east\"} 99.003\n"))
        #expect(text.contains("basalt_cell_cycle_seconds_count{cell=\"east\"} 2\n"))
        // Untouched metrics without labels are 0 from the start, so that a rate sees their first step.
        #expect(text.contains("\nbasalt_feed_entries_total 0\n"))
    }

    @Test func `replacing the gauges of a cell leaves those of others`() {
        let registry = Registry()
        registry.replace(.hosts, first: "east", with: [["ready"]: 2, ["fenced"]: 1])
        registry.replace(.hosts, first: "west", with: [["ready"]: 5])
        registry.replace(.hosts, first: "east", with: [["ready"]: 3])
        let lines = registry.text.split(separator: "\n").filter { $0.hasPrefix("basalt_hosts{") }
        #expect(
            lines == [
                "basalt_hosts{cell=\"east\",contact=\"ready\"} 3",
                "basalt_hosts{cell=\"west\",contact=\"ready\"} 5",
            ])
    }

    @Test func `label values beyond the limit are folded and counted`() {
        let registry = Registry()
        for index in 0..<(Registry.seriesLimit + 10) { registry.add(.placements, ["cell-\(index)"]) }
        let lines = registry.text.split(separator: "\n").filter { $0.hasPrefix("basalt_placements_total{") }
        #expect(lines.count == Registry.seriesLimit + 1)
        #expect(lines.contains("basalt_placements_total{cell=\"other\"} 10"))
        #expect(
            registry.text.contains("basalt_metrics_folded_total{metric=\"basalt_placements_total\"} 10\n"))
    }

    @Test func `the catalogues keep to the naming rules`() {
        Self.check(DaemonMetric.self, prefix: "basalt_")
        Self.check(AgentMetric.self, prefix: "basalt_agent_")
    }

    private static func check<Key: MetricKey>(_ type: Key.Type, prefix: String) {
        for key in Key.allCases {
            let definition = key.definition
            #expect(key.rawValue.hasPrefix(prefix), "\(key)")
            #expect(key.rawValue.hasSuffix("_total") == (definition.form == .counter), "\(key)")
            if case .histogram(let bounds) = definition.form {
                #expect(bounds == bounds.sorted() && key.rawValue.hasSuffix("_seconds"), "\(key)")
            }
            #expect(definition.help.hasSuffix(".") && !definition.help.contains("|"), "\(key)")
            #expect(!definition.labels.contains("le"), "\(key)")
        }
    }

    /// `BASALT_UPDATE_GOLDENS=1` writes the page anew.
    @Test func `the documentation lists the catalogues`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = root.appending(path: "Sources/API/Documentation.docc/Metrics.md")
        if ProcessInfo.processInfo.environment["BASALT_UPDATE_GOLDENS"] == "1" {
            try Data(MetricsPage.text.utf8).write(to: page)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == MetricsPage.text)
    }
}
