import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

/// Random histories of directives, failures and restarts, judged by the substrate's journal.
@Suite("Random histories")
struct HistoryTests {
    /// Drives one history and remembers what may happen in it.
    private struct Driver {
        var harness: AgentHarness
        var random: SplitMix64
        /// By number of the allocation.
        var hosts: [Int: String] = [:]
        var policies: [Int: PartitionPolicy] = [:]
        /// Asked to stop, crashed or dropped by the history.
        var disturbed: Set<Int> = []
        var stale: [HostAssignment] = []
        var held: [String: Generation] = [:]

        init(seed: UInt64) throws {
            random = SplitMix64(seed: seed)
            let spec = fleet(
                start: .uniform(fromSeconds: 0, toSeconds: 3), stop: .uniform(fromSeconds: 0, toSeconds: 3),
                startFailuresPerMillion: 100_000, seed: seed)
            harness = try AgentHarness(spec: spec)
            try harness.boot()
        }

        mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

        mutating func step() throws {
            switch below(14) {
            case 0...3: assign()
            case 4: withRandomPart { harness, number, host in harness.control.stop(host, id(number)) }
            case 5: withRandomPart { harness, number, host in harness.control.drop(host, id(number)) }
            case 6:
                withRandomPart { harness, number, _ in
                    // A simulation's journal is in memory here and cannot refuse a line.
                    try? harness.substrate?.crash(id(number), exitCode: 1, message: "panic")
                }
            case 7: try restart()
            case 8:
                harness.control.failure = [.unreachable, .answerLost][below(2)]
            case 9: harness.control.failure = .none
            case 10: try replay()
            case 11: if below(4) == 0 { harness.control.raiseEpoch() }
            case 12: harness.substrate?.setUnreachable(below(2) == 0 ? [] : ["sim-\(below(3))"])
            default: break
            }
            try harness.pass(Double(below(80)) / 10)
        }

        private mutating func assign() {
            let number = hosts.count + 1
            let policy = [PartitionPolicy.keep, .stop][below(2)]
            let host = "sim-\(below(3))"
            hosts[number] = host
            policies[number] = policy
            harness.control.assign(host, directive(number, onPartition: policy))
        }

        private mutating func withRandomPart(_ body: (inout AgentHarness, Int, String) -> Void) {
            guard !hosts.isEmpty else { return }
            let number = 1 + below(hosts.count)
            guard let host = hosts[number] else { return }
            disturbed.insert(number)
            body(&harness, number, host)
        }

        private mutating func restart() throws {
            harness.kill()
            try harness.pass(Double(below(400)) / 10)
            let adopted = try harness.records().count { $0.event == .adopt }
            try harness.boot()
            let found = try harness.records().filter { $0.event == .adopt }.dropFirst(adopted)
            #expect(found.map(\.allocation).sorted() == (try harness.running()))
            let live = try harness.substrate?.parts().filter { !$0.isEnded }.map(\.key.allocation).sorted()
            #expect(live == found.map(\.allocation).sorted())
        }

        /// An assignment of the past, with a part that must never start.
        private mutating func replay() throws {
            guard let incarnation = harness.state?.incarnation else { return }
            let host = "sim-\(below(3))"
            guard let accepted = harness.state?.hosts[host]?.accepted?.generation else { return }
            let poison = directive(1_000_000 + below(1000))
            let old = try assignment(
                host, accepted.number - below(3), epoch: accepted.epoch, [poison])
            try harness.handle(
                .polled(
                    PollResponse(cursor: "0", epoch: harness.control.epoch, assignments: [old]),
                    incarnation: incarnation))
            try harness.settle()
        }

        mutating func check() throws {
            let records = try harness.records()
            let starts = records.filter { $0.event == .start }.map(\.allocation)
            #expect(Set(starts).count == starts.count, "an allocation started twice")
            #expect(starts.allSatisfy { $0 < id(1_000_000) }, "an older generation was acted on")
            let intervals = records.intervals
            #expect(intervals.overlaps.isEmpty)
            for interval in intervals where interval.to == nil {
                let observed = harness.control.observed[interval.allocation]?.state
                #expect(observed != .stopped && observed != .failed, "\(interval) runs after its end")
            }
            for (number, _) in hosts where !disturbed.contains(number) && policies[number] == .keep {
                let stop = records.first { $0.allocation == id(number) && $0.event == .stop }
                #expect(stop == nil || stop?.reason == .startFailed, "\(number) was stopped by nobody")
            }
            for (name, host) in harness.state?.hosts ?? [:] {
                guard let generation = host.accepted?.generation else { continue }
                #expect(generation >= held[name] ?? generation, "a generation went back")
                held[name] = generation
            }
        }

        /// With everything healed, what is listed is as asked for.
        mutating func checkConvergence() throws {
            harness.control.failure = .none
            harness.substrate?.setUnreachable([])
            try harness.pass(30)
            try check()
            for (name, host) in harness.control.hosts.sorted(by: { $0.key < $1.key }) {
                for (allocation, directive) in host.parts {
                    let observed = harness.control.observed[allocation]
                    let state = try #require(observed, "\(allocation) on \(name) was never reported").state
                    switch directive.action {
                    case .stop: #expect(state == .stopped || state == .failed)
                    case .run: #expect(state != .starting)
                    }
                    #expect((state == .running) == (try harness.running().contains(allocation)))
                }
            }
        }
    }

    @Test(
        "No second start, no run after an acknowledged end, no older generation",
        arguments: 1...25 as ClosedRange<UInt64>)
    func history(_ seed: UInt64) throws {
        var driver = try Driver(seed: seed)
        for step in 0..<60 {
            try driver.step()
            if step % 6 == 5 { try driver.check() }
        }
        try driver.checkConvergence()
        #expect(driver.harness.exit == nil)
        #expect(driver.harness.started.count > 5)
    }

    @Test("The same seed gives the same journal, action for action")
    func repeats() throws {
        let journals = try (0..<2).map { _ in
            var driver = try Driver(seed: 99)
            for _ in 0..<60 { try driver.step() }
            return try driver.harness.records()
        }
        #expect(journals[0].count > 20)
        #expect(journals[0] == journals[1])
    }
}

extension RuntimePart {
    fileprivate var isEnded: Bool {
        if case .ended = state { true } else { false }
    }
}
