import Foundation
import Telemetry
import Testing

/// The alert rules beside the metrics that they are about, judged by Prometheus' own tool where it is
/// installed.
@Suite struct AlertRuleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Charts/basalt")

    @Test func `rules speak of metrics that exist, and every rule is tested`() throws {
        let rules = try String(contentsOf: Self.folder.appending(path: "alerts.yaml"), encoding: .utf8)
        let tests = try String(contentsOf: Self.folder.appending(path: "alerts_test.yaml"), encoding: .utf8)
        let known = Set(
            DaemonMetric.allCases.map(\.rawValue) + AgentMetric.allCases.map(\.rawValue)
                + RouterMetric.allCases.map(\.rawValue))
        for text in [rules, tests] {
            for name in text.matches(of: /basalt_[a-z_]+/).map({ String($0.output) }) {
                #expect(known.contains(name), "no metric \(name)")
            }
        }
        let alerts = rules.matches(of: /alert: (\w+)/).map { String($0.output.1) }
        #expect(alerts.count > 8)
        for alert in alerts { #expect(tests.contains(alert), "no test of \(alert)") }
    }

    @Test(.enabled(if: Promtool.isInstalled, "promtool is not installed"))
    func `promtool accepts the rules and their tests pass`() throws {
        #expect(try Promtool.run("check rules alerts.yaml", in: Self.folder) == 0)
        #expect(try Promtool.run("test rules alerts_test.yaml", in: Self.folder) == 0)
    }

    @Test(.enabled(if: Promtool.isInstalled, "promtool is not installed"))
    func `promtool accepts what is exposed`() throws {
        for text in [Self.filled(DaemonMetric.self), Self.filled(AgentMetric.self)] {
            let file = FileManager.default.temporaryDirectory.appending(
                path: "basalt-metrics-\(ProcessInfo.processInfo.processIdentifier).txt")
            defer { try? FileManager.default.removeItem(at: file) }  // why: left in the temporary folder
            try Data(text.utf8).write(to: file)
            #expect(try Promtool.run("check metrics < \(file.path)", in: Self.folder) == 0)
        }
    }

    /// A registry in which every metric has a value.
    private static func filled<Key: MetricKey>(_ type: Key.Type) -> String {
        let registry = MetricRegistry<Key>()
        for key in Key.allCases {
            let labels = key.definition.labels.map { "a \"\($0)\"\n" }
            if case .histogram = key.definition.form {
                registry.observe(key, labels, 0.2)
            } else {
                registry.add(key, labels)
            }
        }
        return registry.text
    }
}

private enum Promtool {
    static var isInstalled: Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: $0 + "/promtool")
        }
    }

    /// - Returns: the exit status; what it says goes to the log of the tests.
    static func run(_ arguments: String, in folder: URL) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "promtool \(arguments)"]
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
