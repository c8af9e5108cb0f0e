import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Driving the runtime")
struct RuntimeTests {
    @Test("Calls to the runtime are bounded in number and made in order")
    func bounded() throws {
        var harness = StateHarness.connected(runtimeCallLimit: 2)
        let actions = harness.poll([try assignment("sim-0", 1, (1...5).map { directive($0) })])
        #expect(actions.starts == [key("sim-0", 1), key("sim-0", 2)])
        let next = harness.handle(.runtimeAnswered(.start(key("sim-0", 2)), failure: nil))
        #expect(next.starts == [key("sim-0", 3)])
    }

    @Test("A refused start is a failure")
    func refusedStart() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        let actions = harness.handle(
            .runtimeAnswered(.start(key("sim-0", 1)), failure: .refused("no image")))
        let end = PartEnd(outcome: .failed, message: "no image")
        #expect(actions.entries.first?.parts.map(\.progress) == [.ended(end)])
        #expect(harness.state.metrics.startsFailed == 1)
    }

    @Test("A start with an unknown outcome is stopped, and is a failure only when that is confirmed")
    func indeterminateStart() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        let actions = harness.handle(
            .runtimeAnswered(.start(key("sim-0", 1)), failure: .indeterminate("timeout")))
        #expect(actions.stops == [key("sim-0", 1)])
        #expect(harness.state.part(key("sim-0", 1))?.isEnded == false)
        _ = harness.handle(.runtimeAnswered(.stop(key("sim-0", 1)), failure: nil))
        _ = harness.handle(change("sim-0", 1, .ended(PartEnd(outcome: .stopped))))
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(report.parts.map(\.state) == [.failed])
    }

    @Test("A stop is tried until the part has certainly ended")
    func stopRetried() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        let stop = try assignment("sim-0", 2, [directive(1, .stop)])
        #expect(harness.poll([stop]).stops == [key("sim-0", 1)])
        for _ in 0..<5 {
            let failure = RuntimeError.indeterminate("hypervisor hangs")
            _ = harness.handle(.runtimeAnswered(.stop(key("sim-0", 1)), failure: failure))
            #expect(harness.handle(.tick, after: 5.1).stops == [key("sim-0", 1)])
        }
        _ = harness.handle(.runtimeAnswered(.stop(key("sim-0", 1)), failure: .unknownPart))
        #expect(harness.state.part(key("sim-0", 1))?.reportedState == .stopped)
    }

    @Test("A stop that comes while the start is under way follows it")
    func stopWhileStarting() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        #expect(harness.poll([try assignment("sim-0", 2, [directive(1, .stop)])]).stops.isEmpty)
        let actions = harness.handle(.runtimeAnswered(.start(key("sim-0", 1)), failure: nil))
        #expect(actions.stops == [key("sim-0", 1)])
    }

    @Test("A stop that comes while the start is under way is not undone by a later run")
    func stopWhileStartingIsFinal() throws {
        var harness = StateHarness.connected()
        _ = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        _ = harness.poll([try assignment("sim-0", 2, [directive(1, .stop)])])
        let run = harness.poll([try assignment("sim-0", 3, [directive(1)])])
        #expect(run.entries.flatMap(\.parts).isEmpty)
        let actions = harness.handle(.runtimeAnswered(.start(key("sim-0", 1)), failure: nil))
        #expect(actions.stops == [key("sim-0", 1)])
    }

    @Test("A part that ends before the first answer to a poll is kept until that answer")
    func forgetNeedsAnswer() throws {
        let adopted = [RuntimePart(key: key("sim-0", 1), state: .running, directive: directive(1))]
        var harness = StateHarness.connected(adopted: adopted)
        _ = harness.handle(change("sim-0", 1, .ended(PartEnd(outcome: .failed))))
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(!harness.acknowledge(report.sequence).contains(.forget([key("sim-0", 1)])))
        #expect(harness.poll([try assignment("sim-0", 1, [directive(1)])]).starts.isEmpty)
    }

    @Test("The end of a part on a refused host is not forgotten, as nobody took it")
    func refusedHostForgetsNothing() throws {
        let end = PartEnd(outcome: .stopped)
        let adopted = [RuntimePart(key: key("sim-0", 1), state: .ended(end), directive: directive(1))]
        var response = hello
        response.refused = [RefusedHost(name: "sim-0", reason: .claimRefused, message: "held")]
        var harness = StateHarness.connected(adopted: adopted, response: response)
        _ = harness.poll([try assignment("sim-0", 1, [])])
        #expect(harness.state.part(key("sim-0", 1)) != nil)
    }

    @Test("A part whose end is not acknowledged yet is not forgotten for an earlier report")
    func forgetNeedsTheEnd() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        _ = harness.poll([try assignment("sim-0", 2, [])])
        let running = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(running.parts.map(\.state) == [.running])
        _ = harness.handle(change("sim-0", 1, .ended(PartEnd(outcome: .failed))))
        let actions = harness.acknowledge(running.sequence)
        #expect(!actions.contains(.forget([key("sim-0", 1)])))
        #expect(actions.reports.isEmpty)
        let ended = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(ended.parts.map(\.state) == [.failed])
        #expect(harness.acknowledge(ended.sequence).contains(.forget([key("sim-0", 1)])))
    }

    @Test("What hello said is not reported again, and counts as acknowledged")
    func helloAcknowledges() throws {
        let adopted = (1...2).map { number in
            RuntimePart(
                key: key("sim-0", number), state: number == 1 ? .running : .ended(PartEnd(outcome: .stopped)),
                directive: directive(number))
        }
        var harness = StateHarness(adopted: adopted)
        #expect(harness.handle(.started).hellos.first?.hosts.first?.parts.count == 2)
        #expect(harness.handle(.helloAnswered(hello)).reports.map(\.parts) == [[]])
        _ = harness.acknowledge(1)
        #expect(harness.poll([try assignment("sim-0", 1, [])]).contains(.forget([key("sim-0", 2)])))
        #expect(harness.state.part(key("sim-0", 1))?.phase == .running)
    }

    @Test("A launched part that the runtime no longer knows is failed, not started again")
    func lost() throws {
        let part = LedgerPart(directive: directive(1), progress: .launched, listed: true)
        let order = try assignment("sim-0", 3, [directive(1)])
        let version = AcceptedVersion(generation: order.generation, hash: order.hash)
        let ledger = LedgerSnapshot(hosts: ["sim-0": .init(accepted: version, parts: [id(1): part])])
        var harness = StateHarness(ledger: ledger)
        let actions = harness.handle(.started)
        #expect(actions.contains(.notice(.partLost(key("sim-0", 1)))))
        #expect(actions.hellos.first?.hosts.first?.parts.map(\.state) == [.failed])
        _ = harness.handle(.helloAnswered(hello))
        _ = harness.acknowledge(1)
        #expect(harness.poll([order]).starts.isEmpty)
    }

    @Test("Changes that were missed are found in the runtime's list")
    func listed() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...3)
        let end = PartEnd(outcome: .failed, exitCode: 9)
        let parts = [
            RuntimePart(key: key("sim-0", 1), state: .running, directive: directive(1)),
            RuntimePart(key: key("sim-0", 2), state: .ended(end), directive: directive(2)),
        ]
        _ = harness.handle(.runtimeListed(parts))
        #expect(harness.state.part(key("sim-0", 1))?.phase == .running)
        #expect(harness.state.part(key("sim-0", 2))?.phase == .ended(end))
        #expect(harness.state.part(key("sim-0", 3))?.reportedState == .failed)
    }

    @Test("A change that is older than the end does not bring a part back")
    func staleChange() throws {
        var harness = StateHarness.connected()
        try harness.run("sim-0", 1...1)
        _ = harness.handle(change("sim-0", 1, .ended(PartEnd(outcome: .stopped))))
        _ = harness.handle(change("sim-0", 1, .running))
        #expect(harness.state.part(key("sim-0", 1))?.isEnded == true)
        #expect(harness.state.metrics.partsRunning == 0)
    }

    @Test("An ended part is not forgotten before this start has seen the host's assignment")
    func forgetNeedsAssignment() throws {
        let end = PartEnd(outcome: .stopped)
        let adopted = [RuntimePart(key: key("sim-0", 1), state: .ended(end), directive: directive(1))]
        var harness = StateHarness.connected(adopted: adopted)
        #expect(harness.state.part(key("sim-0", 1)) != nil)
        let actions = harness.poll([try assignment("sim-0", 1, [directive(1)])])
        #expect(actions.starts.isEmpty)
        let later = harness.poll([try assignment("sim-0", 2, [])])
        #expect(!later.contains(.forget([key("sim-0", 1)])), "its end at this listing is not acknowledged")
        let report = try #require(harness.handle(.tick, after: 1).reports.first)
        #expect(harness.acknowledge(report.sequence).contains(.forget([key("sim-0", 1)])))
    }
}
