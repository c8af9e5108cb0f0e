import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Reports and the lease")
struct ReportTests {
    @Test("The first report follows hello at once, then one every renewal though nothing changed")
    func renewals() {
        var harness = StateHarness()
        _ = harness.handle(.started)
        let first = harness.handle(.helloAnswered(hello)).reports
        #expect(first.map(\.sequence) == [1])
        let sent = harness.now
        let renewals = harness.acknowledge(1).renewals
        #expect(renewals == [LeaseRenewal(sentAt: sent, stopAfterSeconds: 25)])
        var sequences: [Int] = []
        for _ in 0..<200 {
            for report in harness.handle(.tick, after: 0.1).reports {
                sequences.append(report.sequence)
                _ = harness.acknowledge(report.sequence)
            }
        }
        #expect(sequences == [2, 3, 4, 5])
    }

    @Test("Changes wait for others for a short while and go out together")
    func coalescing() throws {
        var harness = StateHarness.connected()
        let actions = harness.poll([
            try assignment("sim-0", 1, [directive(1)]), try assignment("sim-1", 1, [directive(2)]),
        ])
        #expect(actions.reports.isEmpty)
        #expect(harness.handle(.tick, after: 0.05).reports.isEmpty)
        let report = try #require(harness.handle(.tick, after: 0.06).reports.first)
        #expect(report.parts.map(\.allocation) == [id(1), id(2)])
    }

    @Test("A batch holds at most the session's limit, and a full one does not wait")
    func batches() throws {
        var response = hello
        response.limits.partsPerReport = 3
        var harness = StateHarness.connected(response: response)
        let first = harness.poll([try assignment("sim-0", 1, (1...7).map { directive($0) })]).reports
        #expect(first.map(\.parts.count) == [3])
        #expect(harness.acknowledge(2).reports.map(\.parts.count) == [3])
        #expect(harness.acknowledge(3).reports.isEmpty)
        #expect(harness.handle(.tick, after: 0.2).reports.map(\.parts.count) == [1])
    }

    @Test("One report is outstanding at a time; after a failure the same is sent again")
    func resent() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        let report = try #require(harness.handle(.tick, after: 0.2).reports.first)
        try harness.run("sim-1", 2...2)
        #expect(harness.handle(.tick, after: 1).reports.isEmpty)
        _ = harness.handle(.callFailed(.report(incarnation: 1), .unavailable("down")))
        let again = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(again == report)
        let next = try #require(harness.acknowledge(report.sequence).reports.first)
        #expect(next.sequence == report.sequence + 1)
        #expect(next.parts.map(\.allocation) == [id(2)])
    }

    @Test("A report that was sent twice renews from its first copy, which may be the one committed")
    func renewsFromFirstCopy() throws {
        var harness = StateHarness.connected()
        let report = try #require(harness.handle(.tick, after: 5).reports.first)
        let firstSent = harness.now
        _ = harness.handle(.callFailed(.report(incarnation: 1), .unavailable("answer lost")))
        #expect(harness.handle(.tick, after: 12).reports == [report])
        let actions = harness.acknowledge(report.sequence)
        #expect(actions.renewals.map(\.sentAt) == [firstSent])
        #expect(actions.reports.map(\.sequence) == [report.sequence + 1])
    }

    @Test("A part that changed while its report was under way is reported again")
    func changedMeanwhile() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        let starting = try #require(harness.handle(.tick, after: 0.2).reports.first)
        #expect(starting.parts.map(\.state) == [.starting])
        _ = harness.handle(change("sim-0", 1, .running))
        _ = harness.acknowledge(starting.sequence)
        let running = try #require(harness.handle(.tick, after: 0.2).reports.first)
        #expect(running.parts.map(\.state) == [.running])
    }

    @Test("An answer that acknowledges an earlier sequence leaves the report outstanding")
    func notAcknowledged() throws {
        var harness = StateHarness.connected()
        let report = try #require(harness.handle(.tick, after: 5).reports.first)
        #expect(harness.acknowledge(report.sequence - 1).renewals.isEmpty)
        #expect(harness.handle(.tick, after: 1).reports == [report])
    }

    @Test("Nothing starts before the first acknowledged report, and nothing when the lease ran out")
    func startsNeedLease() throws {
        var harness = StateHarness()
        _ = harness.handle(.started)
        _ = harness.handle(.helloAnswered(hello))
        #expect(harness.poll([try assignment("sim-0", 1, [directive(1)])]).starts.isEmpty)
        #expect(harness.acknowledge(1).starts == [key("sim-0", 1)])
        _ = harness.handle(.tick, after: 26)
        let order = try assignment("sim-0", 2, [directive(1), directive(2)])
        #expect(harness.poll([order]).starts.isEmpty)
        #expect(harness.acknowledge(2).starts.isEmpty)
    }

    @Test("What was accepted before the lease ran out starts only when it is told anew")
    func startsAreAskedForAnew() throws {
        var harness = StateHarness.connected()
        _ = harness.handle(.tick, after: 26)
        _ = harness.poll([try assignment("sim-0", 1, [directive(1), directive(2)])])
        #expect(harness.acknowledge(2).starts.isEmpty)
        #expect(harness.handle(.tick, after: 2).hellos.count == 1)
        _ = harness.handle(.helloAnswered(hello))
        // Part 1 was given to another host meanwhile.
        #expect(harness.poll([try assignment("sim-0", 2, [directive(2)])]).starts == [key("sim-0", 2)])
    }

    @Test("An answer to a poll from before the lease ran out is not believed")
    func lateAnswersAreNotBelieved() throws {
        var harness = StateHarness.connected()
        _ = harness.handle(.tick, after: 26)
        #expect(harness.acknowledge(2).hellos.isEmpty)
        let order = try assignment("sim-0", 1, [directive(1)])
        #expect(harness.poll([order]).starts.isEmpty)
        #expect(harness.poll([order]).starts == [key("sim-0", 1)])
    }

    @Test("Hosts that cannot be reached are named, not renewed, and get no starts")
    func unreachable() throws {
        var harness = StateHarness.connected()
        _ = harness.handle(.runtimeChanged(RuntimeChanges(unreachable: ["sim-1"])))
        let actions = harness.poll([try assignment("sim-1", 1, [directive(1)])])
        #expect(actions.starts.isEmpty)
        let report = try #require(harness.handle(.tick, after: 0.2).reports.first)
        #expect(report.unreachable == ["sim-1"])
        #expect(harness.acknowledge(2).renewals.map(\.except) == [["sim-1"]])
        let back = harness.handle(.runtimeChanged(RuntimeChanges(unreachable: [])))
        #expect(back.starts == [key("sim-1", 1)])
    }
}
