import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Life of parts on simulated hosts")
struct LifecycleTests {
    private func ready() throws -> AgentHarness {
        var harness = try AgentHarness()
        try harness.boot()
        try harness.pass(0.5)
        return harness
    }

    @Test("A run directive is started and reported running")
    func runs() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        #expect(harness.reported(1) == .running)
        #expect(harness.started == [key("sim-0", 1)])
        #expect(harness.metrics.partsRunning == 1)
        #expect(try harness.running() == [id(1)])
    }

    @Test("A stop directive is stopped, reported until it is no longer listed, then forgotten")
    func stops() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        harness.control.stop("sim-0", id(1))
        try harness.pass(1)
        #expect(harness.reported(1) == .stopped)
        #expect(harness.state?.part(key("sim-0", 1)) != nil)
        harness.control.drop("sim-0", id(1))
        try harness.pass(1)
        #expect(harness.state?.part(key("sim-0", 1)) == nil)
        #expect(try harness.substrate?.parts().isEmpty == true)
        #expect(harness.metrics.partsRunning == 0)
        #expect(try harness.records().last?.event == .forget)
    }

    @Test("A part that is missing from a newer assignment goes on and is reported with its directive")
    func absenceDeletesNothing() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        harness.control.drop("sim-0", id(1))
        try harness.pass(5)
        #expect(try harness.running() == [id(1)])
        #expect(harness.stopped.isEmpty)
        let report = harness.control.observed[id(1)]
        #expect(report?.state == .running)
        #expect(report?.directive?.resources == directive(1).resources)
    }

    @Test("A run directive for an ended allocation is answered with its end, not with a start")
    func startsOnce() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        try harness.substrate?.crash(id(1), exitCode: 137, message: "guest panic")
        try harness.pass(1)
        #expect(harness.reported(1) == .failed)
        #expect(harness.control.observed[id(1)]?.exitCode == 137)
        let before = harness.control.observed[id(1)]?.generation
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        #expect(harness.started.count == 1)
        #expect(harness.reported(1) == .failed)
        #expect(harness.control.observed[id(1)]?.generation != before)
    }

    @Test("A stop is final: a later run of the same allocation brings nothing back")
    func stopIsFinal() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        harness.control.stop("sim-0", id(1))
        try harness.pass(0.05)
        harness.control.assign("sim-0", directive(1))
        try harness.pass(2)
        #expect(harness.reported(1) == .stopped)
        #expect(try harness.records().count { $0.event == .start } == 1)
    }

    @Test("A failed start is reported failed")
    func startFails() throws {
        var harness = try AgentHarness(spec: fleet(startFailuresPerMillion: 1_000_000))
        try harness.boot()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(2)
        #expect(harness.reported(1) == .failed)
        #expect(harness.metrics.startsFailed == 1)
        #expect(try harness.running().isEmpty)
    }

    @Test("A stop of a part that never ran here is reported stopped without asking the runtime")
    func stopOfUnknown() throws {
        var harness = try ready()
        harness.control.assign("sim-1", directive(9, .stop))
        try harness.pass(1)
        #expect(harness.reported(9) == .stopped)
        #expect(harness.started.isEmpty && harness.stopped.isEmpty)
    }

    @Test("Controllers that are away change nothing; the agent returns with everything it knows")
    func outage() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        harness.control.assign("sim-1", directive(2))
        try harness.pass(1)
        harness.control.failure = .unreachable
        try harness.pass(120)
        try harness.substrate?.crash(id(2), exitCode: 1, message: "guest panic")
        try harness.pass(5)
        #expect(try harness.running() == [id(1)])
        harness.control.failure = .none
        try harness.pass(6)
        #expect(harness.reported(1) == .running)
        #expect(harness.reported(2) == .failed)
        #expect(harness.metrics.hellos == 1)
        #expect(harness.metrics.retries > 20)
    }

    @Test("A restart adopts exactly what ran, starts nothing again and says so in hello")
    func restart() throws {
        var harness = try ready()
        for number in 1...6 { harness.control.assign("sim-\(number % 3)", directive(number)) }
        try harness.pass(1)
        harness.control.stop("sim-0", id(3))
        try harness.pass(1)
        let running = try harness.running()
        harness.kill()
        try harness.pass(10)
        try harness.boot()
        try harness.pass(2)
        #expect(try harness.running() == running)
        #expect(harness.started.count == 6)
        let parts = try #require(harness.control.hellos.last).hosts.flatMap(\.parts)
        #expect(parts.filter { $0.state == .running }.map(\.allocation).sorted() == running)
        #expect(parts.filter { $0.state == .stopped }.map(\.allocation) == [id(3)])
        #expect(parts.allSatisfy { $0.directive != nil })
        #expect(try harness.records().filter { $0.event == .adopt }.map(\.allocation).sorted() == running)
    }

    @Test("A part accepted but not started before a crash is started after the next answer, once")
    func crashBeforeStart() throws {
        var harness = try ready()
        harness.control.failure = .unreachable
        try harness.pass(30)
        harness.control.failure = .none
        // The poll answer arrives while the lease is out, so the start waits for a renewal.
        let parts = [directive(1)]
        let order = try assignment("sim-0", 50, parts)
        try harness.handle(
            .polled(PollResponse(cursor: "x", epoch: 1, assignments: [order]), incarnation: 1))
        #expect(harness.started.isEmpty)
        harness.kill()
        try harness.boot()
        #expect(harness.started.isEmpty)
        harness.control.assign("sim-0", directive(1))
        for _ in 0..<60 { harness.control.assign("sim-0", directive(1)) }
        try harness.pass(1)
        #expect(harness.started == [key("sim-0", 1)])
        #expect(harness.reported(1) == .running)
    }

    @Test("A lost ledger loses no workload: the runtime's parts are kept and reported with their size")
    func lostLedger() throws {
        var harness = try ready()
        harness.control.assign("sim-0", directive(1))
        try harness.pass(1)
        harness.kill()
        try harness.directory.remove("agent/ledger.journal")
        try harness.boot()
        try harness.pass(1)
        #expect(try harness.running() == [id(1)])
        #expect(harness.control.hellos.last?.hosts.first?.parts.first?.directive == directive(1))
        #expect(harness.started.count == 1)
    }
}
