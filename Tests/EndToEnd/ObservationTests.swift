import AsyncHTTPClient
import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import Telemetry
import Testing

extension EndToEndTests {
    /// What programs say about themselves while they work.
    @Suite struct ObservationTests {
        /// What needs a fault, a watch or a device to have a first value.
        private static let quiet: Set<DaemonMetric> = [
            .folded, .watchers, .leasesLost, .cycleFailures,
        ]
        private static let quietOfAgents: Set<AgentMetric> = [.folded, .callFailures, .devices, .xids]

        @Test func bothProgramsExposeTheirCatalogue() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startAgent(
                    "sim", hosts: 3, ["--metrics-listen", "127.0.0.1:0"])
                try await basalt.hostsReady(3)
                try await basalt.createVMs("web", count: 10)
                try await basalt.allRun(10)
                let text = try await eventually("the cell is counted") {
                    let answer = try await basalt.send([.init(method: .GET, path: "/metrics")])
                    let text = try #require(answer.first?.text)
                    return text.contains("basalt_allocations{cell=\"east\",state=\"active\"} 10\n")
                        && text.contains("basalt_pool_stranded_ratio{") ? text : nil
                }
                Self.check(text, DaemonMetric.self, quiet: Self.quiet)
                #expect(text.contains("basalt_hosts{cell=\"east\",contact=\"ready\"} 3\n"))
                #expect(text.contains("basalt_cell_lease_held{cell=\"east\"} 1\n"))
                #expect(text.contains("basalt_placements_total{cell=\"east\"} 10\n"))

                let line = try #require(
                    agent.program.log.split(separator: "\n").first { $0.contains("serving metrics") })
                let address = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") })
                let ofAgent = try await Self.fetch("http://\(address.dropFirst("address=".count))/metrics")
                Self.check(ofAgent, AgentMetric.self, quiet: Self.quietOfAgents)
                #expect(ofAgent.contains("basalt_agent_parts_running 10\n"))
                try await basalt.verify(live: 10, starts: 10)
            }
        }

        /// Every metric of the catalogue is exposed, and nothing else.
        private static func check<Key: MetricKey>(_ text: String, _ type: Key.Type, quiet: Set<Key>) {
            let lines = text.split(separator: "\n")
            let exposed = lines.filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
            #expect(exposed == Key.allCases.map(\.rawValue))
            let names = lines.filter { !$0.hasPrefix("#") }.map { line in
                var name = String(line.prefix { $0 != "{" && $0 != " " })
                for suffix in ["_bucket", "_sum", "_count"] where Key(rawValue: name) == nil {
                    if name.hasSuffix(suffix) { name.removeLast(suffix.count) }
                }
                return name
            }
            #expect(Set(names).subtracting(Key.allCases.map(\.rawValue)) == [])
            for key in Key.allCases where !quiet.contains(key) {
                #expect(names.contains(key.rawValue), "no value of \(key.rawValue)")
            }
        }

        private static func fetch(_ url: String) async throws -> String {
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: url), timeout: .seconds(10))
            try #require(response.status == .ok)
            return String(
                decoding: try await response.body.collect(upTo: 1 << 22).readableBytesView, as: UTF8.self)
        }

        @Test func everyLineOfALogHasItsFieldsAndEveryRequestItsLine() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a")
                try await basalt.makeFleet()
                let answers = try await basalt.send([
                    .init(method: .GET, path: "/v1/hosts"), .init(method: .GET, path: "/v1/nothing/here"),
                    .init(method: .GET, path: "/v1/hosts", token: "wrong"),
                ])
                #expect(answers.map(\.status) == [200, 404, 401])
                let log = a.program.log
                for line in log.split(separator: "\n") {
                    #expect(line.hasPrefix("time=2") && line.contains(" level="), "\(line)")
                    #expect(line.contains(" component="), "\(line)")
                }
                func logged(_ parts: String...) -> Bool {
                    log.split(separator: "\n").contains { line in parts.allSatisfy(line.contains) }
                }
                #expect(
                    logged(
                        "message=request", " method=GET", " route=/v1/hosts ", " status=200",
                        " actor=user/admin",
                        " request=", " durationMs="), "\(log)")
                #expect(logged("message=request", " route=none ", " status=404"), "\(log)")
                #expect(logged("message=request", " status=401", " actor=none"), "\(log)")
                #expect(!log.contains("wrong"))
            }
        }

        @Test func programsSayTheirVersionAndCheckTheirSettings() async throws {
            try await Deployment.run(database: false) { basalt in
                let version = try await basalt.basaltd(["version"])
                #expect(version.status == 0 && version.output == "basaltd \(ProductVersion.description)\n")
                let file = basalt.directory.appending(path: "basaltd.yaml")
                try Data("name: a\nlogFormat: json\n".utf8).write(to: file)
                let good = try await basalt.basaltd(["config", "check", file.path, "--listen", "127.0.0.1:9"])
                #expect(good.status == 0)
                #expect(good.output.contains("# \(file.path):2\n"), "\(good)")
                #expect(good.output.contains("# --listen\n"), "\(good)")
                try Data("nam: a\nlogFormat: xml\n".utf8).write(to: file)
                let bad = try await basalt.basaltd(["config", "check", file.path])
                #expect(bad.status == 1)
                #expect(bad.output.split(separator: "\n").count == 2, "\(bad)")
                let wrong = try await basalt.basaltd(["serve", "--lisen", "127.0.0.1:0"])
                #expect(wrong.status == 1 && wrong.output.contains("did you mean --listen?"), "\(wrong)")
            }
        }
    }
}
