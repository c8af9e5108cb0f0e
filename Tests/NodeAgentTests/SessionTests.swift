import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Session with the control plane")
struct SessionTests {
    @Test("Hello is tried again with waits that double to a cap, with jitter")
    func helloBackoff() {
        var harness = StateHarness()
        #expect(harness.handle(.started).hellos.count == 1)
        var waits: [Double] = []
        for _ in 0..<10 {
            _ = harness.handle(.callFailed(.hello, .unavailable("down")))
            var waited = 0.0
            while harness.handle(.tick, after: 0.01).hellos.isEmpty { waited += 0.01 }
            waits.append(waited)
        }
        for (index, wait) in waits.enumerated() {
            let step = min(5, 0.25 * Double(1 << index))
            #expect(wait >= step / 2 - 0.02 && wait <= step + 0.02)
        }
        #expect(Set(waits.suffix(5)).count > 1)
        #expect(harness.state.metrics.retries == 10)
    }

    @Test("The jitter comes from the seed")
    func jitter() {
        let backoff = Backoff(first: .seconds(1), cap: .seconds(8))
        #expect(backoff.wait(afterFailures: 1, unit: 0) == .milliseconds(500))
        #expect(backoff.wait(afterFailures: 3, unit: 0.5) == .seconds(3))
        #expect(backoff.wait(afterFailures: 1_000_000, unit: 1) == .seconds(8))
    }

    @Test(
        "A superseded session ends the agent at once and touches no workload",
        arguments: [AgentCall.poll(incarnation: 1), .report(incarnation: 1)])
    func superseded(_ call: AgentCall) throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        let actions = harness.handle(.callFailed(call, .superseded))
        #expect(actions == [.exit(.superseded)])
        #expect(harness.handle(.tick, after: 60).isEmpty)
        #expect(harness.poll([try assignment("sim-0", 9, [directive(1, .stop)])]).isEmpty)
    }

    @Test("With a short lease, tries come as often as renewals, and reports are given up in time")
    func shortLease() {
        var response = hello
        response.lease = .scaled(leaseSeconds: 3)
        var harness = StateHarness.connected(response: response)
        #expect(harness.state.reportTimeout < .milliseconds(834))
        _ = harness.handle(.tick, after: 0.5)
        for _ in 0..<10 {
            _ = harness.handle(.callFailed(.report(incarnation: 1), .unavailable("down")))
            #expect(harness.handle(.tick, after: 0.51).reports.count == 1)
        }
        #expect(StateHarness.connected().state.reportTimeout == .seconds(8))
    }

    @Test("A superseded answer to a call of an earlier incarnation is ignored")
    func supersededEarlier() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([], epoch: 2)
        #expect(harness.handle(.callFailed(.report(incarnation: 1), .superseded)).isEmpty)
        _ = harness.handle(.tick, after: 1)
        var response = hello
        response.incarnation = 2
        _ = harness.handle(.helloAnswered(response))
        #expect(harness.handle(.callFailed(.poll(incarnation: 1), .superseded)).isEmpty)
        #expect(harness.state.incarnation == 2)
    }

    @Test("An unknown credential is retried slowly; workloads go on")
    func unauthorized() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        let actions = harness.handle(.callFailed(.poll(incarnation: 1), .unauthorized("revoked")))
        #expect(actions.stops.isEmpty)
        #expect(harness.handle(.tick, after: 4.9).polls.isEmpty)
        #expect(harness.handle(.tick, after: 0.2).polls.count == 1)
    }

    @Test("A refused call leads to a new hello, not to the same call again")
    func refused() {
        var harness = StateHarness.connected()
        _ = harness.handle(.tick, after: 5)
        let error = ControlPlaneError.refused(code: "report.invalid", message: "no")
        _ = harness.handle(.callFailed(.report(incarnation: 1), error))
        let actions = harness.handle(.tick, after: 5.1)
        #expect(actions.hellos.count == 1 && actions.reports.isEmpty)
    }

    @Test("Lease times that are not safe to fence by make no session")
    func unsafeLease() {
        var harness = StateHarness()
        _ = harness.handle(.started)
        var response = hello
        response.lease.fencedAfterSeconds = 20
        let actions = harness.handle(.helloAnswered(response))
        #expect(actions.polls.isEmpty && actions.reports.isEmpty)
        #expect(harness.state.incarnation == nil)
        #expect(harness.handle(.tick, after: 5.1).hellos.count == 1)
    }

    @Test("A refused host is neither started on nor reported for")
    func refusedHost() throws {
        var response = hello
        response.refused = [RefusedHost(name: "sim-0", reason: .claimRefused, message: "held")]
        var harness = StateHarness.connected(response: response)
        let actions = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        #expect(actions.starts.isEmpty)
        #expect(harness.handle(.tick, after: 1).reports.flatMap(\.parts).isEmpty)
    }

    @Test("Empty answers that come at once are not asked for in a tight loop")
    func emptyAnswers() {
        var harness = StateHarness.connected()
        #expect(harness.poll([]).polls.isEmpty)
        #expect(harness.handle(.tick, after: 0.3).polls.count == 1)
        harness.now = harness.now.advanced(by: .seconds(3))
        #expect(harness.poll([]).polls.count == 1)
    }

    @Test("The next deadline is when a tick does something")
    func nextDeadline() throws {
        var harness = StateHarness.connected()
        let renewal = try #require(harness.state.nextDeadline)
        #expect(renewal == harness.now.advanced(by: .seconds(5)))
        #expect(harness.handle(.tick, after: 4.999).reports.isEmpty)
        #expect(harness.handle(.tick, after: 0.001).reports.count == 1)
        #expect(harness.state.nextDeadline == nil)
    }
}
