import AgentProtocol
import Fleet
import Foundation
import Logging
@testable import NodeAgent
import Oversubscription
import Synchronization
import Testing

@Suite("Use")
struct UsageTests {
    private let clock = ManualClock()

    private func part(_ number: Int, _ class: WorkloadClass, used: Double) -> PartSample {
        var order = directive(number)
        order.class = `class`
        order.resources.milliCPU = 8000
        return PartSample(key: key("sim-0", number), directive: order, used: used)
    }

    private func sample(at: Int, runDelay: Double = 0, _ parts: [PartSample]) -> HostSample {
        HostSample(
            host: "sim-0", cores: 8,
            signals: HostSignals(at: at, use: runDelay > 0 ? 1 : 0.5, runDelay: runDelay), parts: parts)
    }

    @Test("Bins hold mean, percentile and peak, and are told until they are taken")
    func bins() throws {
        var state = UsageState(GuardSettings(), binSeconds: 300)
        let nothing = state.report(of: ["sim-0"])
        #expect(nothing == nil)
        for step in 0..<61 {
            let parts = [part(1, .standard, used: step == 7 ? 8 : 1)]
            let at = 3000 + step * 5
            let events = state.take([sample(at: at, parts)], now: at, fleetNow: at)
            #expect(events.isEmpty)
        }
        let report = state.report(of: ["sim-0"])
        let bin = try #require(report?.hosts.first?.bins.first)
        #expect(bin.vm == directive(1).workload.uid && bin.start == 3000 && bin.soldMilliCPU == 8000)
        #expect((bin.meanMilliCPU, bin.p90MilliCPU, bin.maxMilliCPU) == (1117, 1000, 8000))
        #expect(report?.hosts.first?.rung == .observe)
        // Not taken: the same again, and a VM that has gone ends its bin.
        _ = state.take([sample(at: 3305, [])], now: 3305, fleetNow: 3305)
        let again = state.report(of: ["sim-0"])
        #expect(again?.hosts.first?.bins.map(\.start) == [3000, 3300])
        state.reported()
        let after = state.report(of: ["sim-0"])
        #expect(after?.hosts.first?.bins == [])
        // A host that could not be measured is not told of.
        let none = state.report(of: [])
        #expect(none == nil)
    }

    @Test("A hot host is frozen at once, holds spot VMs back, and says why by their names")
    func hot() throws {
        var state = UsageState(GuardSettings(), binSeconds: 300)
        let parts = [part(1, .standard, used: 1), part(2, .spot, used: 7), part(3, .guaranteed, used: 0)]
        var events: [GuardEvent] = []
        for step in 0..<8 {
            let at = 3000 + step * 5
            events += state.take([sample(at: at, runDelay: 0.5, parts)], now: at, fleetNow: at).map(\.event)
        }
        #expect(events.prefix(2).map(\.after) == [.freeze, .throttle])
        #expect(events[1].at - events[0].at <= 30)
        // 80 % of eight less what the others use.
        #expect(state.quotas(of: "sim-0").mapValues { ($0 * 10).rounded() } == [key("sim-0", 2): 54])
        let report = state.report(of: ["sim-0"])
        let told = try #require(report?.hosts.first)
        #expect(told.rung == events.last?.after.level && told.notes.count == events.count)
        #expect(told.notes[0].message.contains("run delay 50 %"))
        #expect(UsageRequest(hosts: [told]).defect == nil)
    }

    @Test("A machine's use is what its counters moved by")
    func machine() async throws {
        let root = try TemporaryDirectory()
        func write(busy: Int, idle: Int, steal: Int, waited: Int, ran: Int, delay: Int) throws {
            try root.write("cpu  \(busy) 0 0 \(idle) 0 0 0 \(steal) 0 0\ncpu0 1 1\n", to: "proc/stat")
            try root.write(
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=\(waited)\nfull avg10=0.00 total=0\n",
                to: "proc/pressure/cpu")
            try root.write(
                "version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 \(ran) \(delay) 7\ndomain0 1\n",
                to: "proc/schedstat")
        }
        try write(busy: 100, idle: 100, steal: 0, waited: 5, ran: 1000, delay: 0)
        let usage = MachineUsage(host: "m", substrate: nil, clock: clock, root: root.path)
        let first = try await usage.sample()
        #expect(first == [])
        clock.advance(.seconds(10))
        try write(busy: 160, idle: 130, steal: 10, waited: 2_000_005, ran: 4000, delay: 1000)
        let samples = try await usage.sample()
        let signals = try #require(samples.first).signals
        #expect(signals.use == 0.6 && signals.steal == 0.1 && signals.pressure == 0.2)
        #expect(signals.runDelay == 0.25)
        // A kernel that tells nothing of it waits for nobody.
        try FileManager.default.removeItem(atPath: root.path + "/proc/pressure/cpu")
        try FileManager.default.removeItem(atPath: root.path + "/proc/schedstat")
        clock.advance(.seconds(10))
        try root.write("cpu  200 0 0 200 0 0 0 10 0 0\n", to: "proc/stat")
        let later = try await usage.sample()
        let bare = try #require(later.first).signals
        #expect(bare.pressure == 0 && bare.runDelay == 0)
    }

    @Test("Traces are read, or say which line is wrong")
    func traces() throws {
        let trace = try UsageTraceFile(
            text: "vm,cores,cap_mhz,t0_unix,step_s,values_cpu_pct_x100\na,2,0,0,300,5000,,10000\n")
        #expect([0, 299, 300, 600, 900].map { trace.share(vm: 3, at: $0) } == [0.5, 0.5, 0, 1, 0.5])
        for text in ["", "vm,cores\n", "a,2,0,0,300,10001\n", "a,2,0,0,0,1\n", "a,2,0,0,300\n"] {
            #expect(throws: UsageTraceFile.Defect.self) { try UsageTraceFile(text: text) }
        }
    }

    @Test("A noisy neighbour makes everybody wait, until its quota holds it")
    func neighbour() async throws {
        let directory = try TemporaryDirectory()
        let substrate = try SimulatedSubstrate.open(directory: directory.path, spec: fleet(), clock: clock)
        for number in 1...3 {
            var order = directive(number)
            order.class = number == 1 ? .standard : .spot
            order.resources.milliCPU = 64_000
            try substrate.start(PartStart(key: key("sim-0", number), directive: order))
        }
        clock.advance(.seconds(1))
        let trace = try UsageTraceFile(text: "a,1,0,0,300,1000\n")
        let usage = SimulatedUsage(
            substrate: substrate, trace: trace,
            noiseFile: directory.path + "/noise", clock: clock)
        func host() async throws -> HostSample? {
            try await usage.sample().first { $0.host == "sim-0" }
        }
        let calm = try #require(try await host())
        #expect(calm.signals.runDelay == 0 && calm.parts.map { ($0.used * 10).rounded() } == [64, 64, 64])
        try directory.write("sim-0 1000\n", to: "noise")
        let noisy = try #require(try await host())
        #expect(noisy.signals.runDelay > 0.3 && noisy.signals.use == 1)
        #expect((noisy.parts.reduce(0) { $0 + $1.used } - noisy.cores).magnitude < 1e-9)
        usage.setQuotas([key("sim-0", 2): 5, key("sim-0", 3): 5], host: "sim-0")
        let held = try await host()
        #expect(held?.signals.runDelay == 0)
        usage.setQuotas([:], host: "sim-0")
        let free = try await host()
        #expect(free?.signals.runDelay ?? 0 > 0.3)
    }
}
