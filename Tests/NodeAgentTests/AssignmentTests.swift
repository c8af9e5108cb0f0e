import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Assignments")
struct AssignmentTests {
    @Test("An assignment is on disk before anything is done for it")
    func persistsFirst() throws {
        var harness = StateHarness.connected()
        let order = try assignment("sim-0", 4, [directive(1), directive(2)])
        let actions = harness.poll([order])
        guard case .persist(let entries) = actions.first else {
            Issue.record("the first action is \(String(describing: actions.first))")
            return
        }
        #expect(entries.count == 1)
        #expect(entries.first?.accepted == AcceptedVersion(generation: order.generation, hash: order.hash))
        #expect(entries.first?.parts.map(\.directive) == order.parts)
        #expect(actions.starts == [key("sim-0", 1), key("sim-0", 2)])
        #expect(harness.state.metrics.assignmentsAccepted == 1)
    }

    @Test("An older generation is refused, counted, and answered with the state that is held")
    func older() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1, generation: 5)
        _ = harness.handle(.tick, after: 1)
        _ = harness.acknowledge(2)
        let actions = harness.poll([try assignment("sim-0", 4, [directive(1, .stop), directive(2)])])
        #expect(actions.refusals == [.older(held: Generation(epoch: 1, number: 5))])
        #expect(actions.starts.isEmpty && actions.stops.isEmpty && actions.entries.isEmpty)
        #expect(harness.state.metrics.refusedOlder == 1)
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(report.parts.map(\.generation) == [Generation(epoch: 1, number: 5)])
    }

    @Test("An older epoch with a higher number is refused")
    func olderEpoch() throws {
        var response = hello
        response.epoch = 2
        var harness = StateHarness.connected(response: response)
        _ = harness.poll([try assignment("sim-0", 1, epoch: 2, [directive(1)])], epoch: 2)
        let actions = harness.poll([try assignment("sim-0", 99, epoch: 1, [])], epoch: 2)
        #expect(actions.refusals == [.older(held: Generation(epoch: 2, number: 1))])
    }

    @Test("An equal generation with another hash is refused; with the same hash it is a repeat")
    func conflict() throws {
        var harness = StateHarness.connected()
        let order = try assignment("sim-0", 4, [directive(1)])
        _ = harness.poll([order])
        let repeated = harness.poll([order])
        #expect(repeated.refusals.isEmpty && repeated.starts.isEmpty && repeated.entries.isEmpty)
        let other = try assignment("sim-0", 4, [directive(1), directive(2)])
        let actions = harness.poll([other])
        #expect(actions.refusals == [.conflictingHash(held: order.hash)])
        #expect(actions.starts.isEmpty)
        #expect(harness.state.metrics.refusedHash == 1)
        #expect(harness.state.metrics.assignmentsRepeated == 1)
    }

    @Test("Parts that do not match their hash are refused")
    func wrongHash() throws {
        var harness = StateHarness.connected()
        var order = try assignment("sim-0", 4, [directive(1)])
        order.parts[0].resources.milliCPU += 1
        let actions = harness.poll([order])
        #expect(actions.refusals == [.wrongHash(computed: HostAssignment.hash(of: order.parts))])
        #expect(actions.starts.isEmpty && actions.entries.isEmpty)
    }

    @Test("A host that the session does not carry is refused")
    func unknownHost() throws {
        var harness = StateHarness.connected()
        let actions = harness.poll([try assignment("other", 4, [directive(1)])])
        #expect(actions.refusals == [.unknownHost])
        #expect(actions.starts.isEmpty)
    }

    @Test("A higher epoch is greeted with what runs before its assignments are taken")
    func higherEpoch() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1, generation: 9)
        let order = try assignment("sim-0", 1, epoch: 2, [directive(1, .stop)])
        let ignored = harness.poll([order], epoch: 2)
        #expect(ignored.stops.isEmpty && ignored.entries.isEmpty)
        let greeting = try #require(harness.handle(.tick, after: 1).hellos.first)
        #expect(greeting.hosts.first?.parts.map(\.state) == [.running])
        #expect(greeting.hosts.first?.generation == Generation(epoch: 1, number: 9))
        var response = hello
        response.incarnation = 2
        response.epoch = 2
        let polls = harness.handle(.helloAnswered(response)).polls
        #expect(polls.map(\.cursor) == [nil])
        let actions = harness.poll([order], epoch: 2)
        #expect(actions.stops == [key("sim-0", 1)])
        #expect(actions.entries.first?.accepted?.generation == order.generation)
    }

    @Test("A report answered in a higher epoch leads to a new hello")
    func higherEpochInReport() throws {
        var harness = StateHarness.connected()
        _ = harness.handle(.tick, after: 5)
        _ = harness.acknowledge(2, epoch: 2)
        #expect(harness.handle(.tick, after: 1).hellos.count == 1)
    }

    @Test("A poll answered in an older epoch is ignored and tried again later")
    func staleEpoch() throws {
        var response = hello
        response.epoch = 3
        var harness = StateHarness.connected(response: response)
        let actions = harness.poll([try assignment("sim-0", 4, epoch: 2, [directive(1)])], epoch: 2)
        #expect(actions.contains(.notice(.staleEpoch(answered: 2, known: 3))))
        #expect(actions.starts.isEmpty && actions.polls.isEmpty)
        #expect(harness.handle(.tick, after: 1).polls.map(\.cursor) == [nil])
    }

    @Test("A part that never started and is no longer listed is not started")
    func unlistedBeforeStart() throws {
        var harness = StateHarness.connected(runtimeCallLimit: 1)
        _ = harness.poll([try assignment("sim-0", 1, [directive(1), directive(2)])])
        _ = harness.poll([try assignment("sim-0", 2, [directive(1)])])
        let actions = harness.handle(.runtimeAnswered(.start(key("sim-0", 1)), failure: nil))
        #expect(actions.starts.isEmpty)
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(report.parts.first { $0.allocation == id(2) }?.state == .stopped)
    }

    @Test("A host without a runtime is announced as observed only and refuses to run parts")
    func observeOnly() throws {
        var harness = StateHarness(adopted: nil)
        let greeting = try #require(harness.handle(.started).hellos.first)
        #expect(greeting.hosts.map(\.inventory.substrate) == ["observe", "observe"])
        _ = harness.handle(.helloAnswered(hello))
        _ = harness.acknowledge(1)
        #expect(harness.poll([try assignment("sim-0", 1, [directive(1)])]).starts.isEmpty)
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(report.parts.map(\.state) == [.failed])
        #expect(report.parts.first?.message?.contains("observed only") == true)
    }
}
