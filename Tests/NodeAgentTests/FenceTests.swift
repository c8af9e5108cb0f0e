import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Fencing, agent and substrate together")
struct FenceTests {
    /// Two parts run, one of each policy; the last report was acknowledged within the last 5 s.
    private func running() throws -> AgentHarness {
        var harness = try AgentHarness()
        try harness.boot()
        harness.control.assign("sim-0", directive(1, onPartition: .stop))
        harness.control.assign("sim-0", directive(2, onPartition: .keep))
        try harness.pass(20)
        #expect(try harness.running() == [id(1), id(2)])
        return harness
    }

    @Test("Controllers away: `stop` ends 25 s after the last acknowledged send, `keep` goes on")
    func controllersAway() throws {
        var harness = try running()
        harness.control.failure = .unreachable
        // The next report is the one that is not acknowledged; the deadline counts from the one before.
        let lastSent = try #require(harness.state?.leaseDeadline).advanced(by: .seconds(-25))
        let elapsed = harness.clock.now().since(lastSent)
        let deadline = harness.clock.wallTime().advanced(by: .seconds(25) - elapsed)
        try harness.pass(60)
        #expect(try harness.running() == [id(2)])
        let stop = try #require(try harness.records().first { $0.event == .stop })
        #expect(stop.time == deadline && stop.reason == .fenced)
        harness.control.failure = .none
        try harness.pass(6)
        #expect(harness.reported(1) == .stopped)
        #expect(harness.reported(2) == .running)
    }

    @Test("Answers lost: the deadline counts from the first copy of the report, though later ones were sent")
    func answersLost() throws {
        var harness = try running()
        let count = harness.control.reports.count
        harness.control.failure = .answerLost
        while harness.control.reports.count == count { try harness.pass(0.05) }
        let committed = harness.clock.wallTime()
        try harness.pass(15)
        harness.control.failure = .none
        try harness.pass(5.5)
        harness.control.failure = .unreachable
        try harness.pass(60)
        let stop = try #require(try harness.records().first { $0.event == .stop })
        // 25 s after the report that followed the repeats, which is at the earliest 15 s after the first
        // copy.
        #expect(stop.time.since(committed) >= .seconds(40))
        let last = try #require(harness.state?.leaseDeadline)
        #expect(stop.time == harness.clock.wallTime().advanced(by: last.since(harness.clock.now())))
    }

    @Test("Agent dead past the deadline: the stop is reported on return, and nothing is started again")
    func agentDead() throws {
        var harness = try running()
        harness.kill()
        try harness.pass(60)
        try harness.boot()
        try harness.pass(2)
        #expect(try harness.running() == [id(2)])
        let parts = try #require(harness.control.hellos.last).hosts.flatMap(\.parts)
        #expect(parts.map(\.state) == [.stopped, .running])
        #expect(parts.first?.message?.contains("fence deadline") == true)
        #expect(harness.started.count == 2)
    }

    @Test("Agent dead for less than the deadline: everything goes on and the lease is renewed")
    func agentDeadShortly() throws {
        var harness = try running()
        harness.kill()
        try harness.pass(15)
        try harness.boot()
        try harness.pass(60)
        #expect(try harness.running() == [id(1), id(2)])
    }

    @Test("An unreachable host's `stop` parts end while the others are renewed")
    func unreachableHost() throws {
        var harness = try running()
        harness.control.assign("sim-1", directive(3, onPartition: .stop))
        try harness.pass(10)
        harness.substrate?.setUnreachable(["sim-1"])
        try harness.pass(60)
        #expect(try harness.running() == [id(1), id(2)])
        #expect(harness.reported(3) == .stopped)
    }
}
