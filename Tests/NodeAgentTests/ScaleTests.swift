import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Many hosts")
struct ScaleTests {
    private static let partsPerHost = 20

    private func state(hosts count: Int) throws -> StateHarness {
        var ledger = LedgerSnapshot()
        var adopted: [RuntimePart] = []
        for (index, host) in fleet(count: count).hosts.enumerated() {
            var parts: [ID<Allocation>: LedgerPart] = [:]
            for number in 0..<Self.partsPerHost {
                let directive = directive(index * 100 + number)
                parts[directive.allocation] = LedgerPart(
                    directive: directive, progress: .launched, listed: true)
                adopted.append(
                    RuntimePart(
                        key: PartKey(host: host.name, allocation: directive.allocation), state: .running,
                        directive: directive))
            }
            let version = AcceptedVersion(generation: Generation(epoch: 1, number: 1), hash: "x")
            ledger.hosts[host.name] = .init(accepted: version, parts: parts)
        }
        var harness = StateHarness(hosts: count, ledger: ledger, adopted: adopted)
        _ = harness.handle(.started)
        _ = harness.handle(.helloAnswered(hello))
        _ = harness.acknowledge(1)
        #expect(harness.state.metrics.partsRunning == count * Self.partsPerHost)
        return harness
    }

    /// Least time of one assignment with one new part, its start, report and acknowledgement.
    private func cost(hosts count: Int) throws -> Duration {
        var harness = try state(hosts: count)
        let names = fleet(count: count).hosts.map(\.name)
        var least = Duration.seconds(60)
        for round in 0..<40 {
            let index = round % count
            let fresh = index * 100 + 50 + round / count
            let numbers = (0..<Self.partsPerHost).map { index * 100 + $0 } + [fresh]
            let order = try assignment(names[index], 2 + round, numbers.map { directive($0) })
            let elapsed = ContinuousClock().measure {
                _ = harness.poll([order])
                _ = harness.handle(.runtimeAnswered(.start(key(names[index], fresh)), failure: nil))
                _ = harness.handle(change(names[index], fresh, .running))
                for report in harness.handle(.tick, after: 1).reports {
                    _ = harness.acknowledge(report.sequence)
                }
            }
            least = min(least, elapsed)
        }
        return least
    }

    @Test("An assignment costs the same with 5,000 hosts as with 50")
    func assignmentIsLocal() throws {
        let few = try cost(hosts: 50)
        let many = try cost(hosts: 5000)
        // 100 times the hosts: anything that looks at all of them is far above 10.
        #expect(many < few * 10, "50 hosts: \(few), 5,000 hosts: \(many)")
    }
}
