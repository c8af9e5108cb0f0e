import AgentProtocol
import Fleet
@testable import NodeAgent
import Testing

@Suite("Simulated substrate")
struct SubstrateTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ spec: SimulatedFleetSpec = fleet(), clock: ManualClock? = nil, trainingSpeed: Double = 1
    ) throws -> SimulatedSubstrate {
        try SimulatedSubstrate.open(
            directory: directory.path, spec: spec, clock: clock ?? self.clock, trainingSpeed: trainingSpeed)
    }

    /// A rank of 100 steps of 60 s each.
    private func rank(_ number: Int, of rank: Int = 0, from step: Int = 0) -> PartStart {
        var directive = directive(number)
        directive.workload.kind = .trainingJob
        directive.task = PartTask(
            run: RunSpec(
                command: ["train"],
                env: [
                    "RANK": "\(rank)", "BASALT_STEPS": "100", "BASALT_STEP_SECONDS": "60",
                    "BASALT_RESUME_STEP": "\(step)",
                ]))
        return PartStart(key: key("sim-0", number), directive: directive)
    }

    @Test("Ranks go on at the speed of their plan, also while no agent is there, and end by themselves")
    func training() throws {
        do {
            let substrate = try open(trainingSpeed: 60)
            try substrate.start(rank(1))
            try substrate.start(rank(2, of: 1))
            #expect(substrate.progress() == nil)
            // A step a second, after a fifth of a second of start.
            clock.advance(.milliseconds(10_700))
            let told = try #require(substrate.progress())
            #expect(told.map(\.step) == [10] && told.map(\.checkpointStep) == [0])
            #expect(told.map(\.iterationMilliseconds) == [60_000])
        }
        clock.advance(.seconds(30))
        let substrate = try open(trainingSpeed: 60)
        // The last half hour began at the 30th step.
        #expect(substrate.progress()?.map(\.step) == [40])
        #expect(substrate.progress()?.map(\.checkpointStep) == [30])
        clock.advance(.seconds(60))
        #expect(try substrate.parts().map(\.state) == [.ended(.trained), .ended(.trained)])
        #expect(substrate.progress()?.map(\.checkpointStep) == [100])
    }

    @Test("A rank that is asked to end keeps its step, and the next goes on from it; a crash keeps less")
    func checkpoints() throws {
        let substrate = try open(trainingSpeed: 60)
        try substrate.start(rank(1))
        clock.advance(.milliseconds(42_300))
        try substrate.stop(key("sim-0", 1))
        clock.advance(.seconds(5))
        #expect(substrate.progress()?.map(\.checkpointStep) == [42])
        try substrate.forget([key("sim-0", 1)])
        try substrate.start(rank(2, from: 42))
        clock.advance(.milliseconds(33_300))
        try substrate.crash(id(2), exitCode: 7, message: "lost")
        clock.advance(.seconds(100))
        #expect(substrate.progress()?.map(\.step) == [75])
        #expect(substrate.progress()?.map(\.checkpointStep) == [72])
    }

    private func records() throws -> [RunRecord] {
        try RunJournal.read(path: RunJournal.path(in: directory.path))
    }

    private func start(
        _ host: String, _ number: Int, onPartition: PartitionPolicy = .keep
    ) -> PartStart {
        PartStart(key: key(host, number), directive: directive(number, onPartition: onPartition))
    }

    @Test("A part begins to run after its latency and ends after that of its stop")
    func latencies() throws {
        let substrate = try open()
        try substrate.start(start("sim-0", 1))
        #expect(try substrate.parts().map(\.state) == [.starting])
        clock.advance(.milliseconds(199))
        #expect(try substrate.parts().map(\.state) == [.starting])
        clock.advance(.milliseconds(1))
        #expect(try substrate.parts().map(\.state) == [.running])
        #expect(substrate.takeChanges().parts.map(\.state) == [.running])
        try substrate.stop(key("sim-0", 1))
        #expect(try substrate.parts().map(\.state) == [.running])
        clock.advance(.milliseconds(100))
        #expect(try substrate.parts().map(\.state) == [.ended(.asked)])
    }

    @Test("An allocation is started once, whatever is asked")
    func idempotent() throws {
        let substrate = try open()
        try substrate.start(start("sim-0", 1))
        try substrate.start(start("sim-0", 1))
        #expect(throws: RuntimeError.self) { try substrate.start(start("sim-1", 1)) }
        clock.advance(.seconds(1))
        try substrate.stop(key("sim-0", 1))
        clock.advance(.seconds(1))
        try substrate.start(start("sim-0", 1))
        #expect(try records().count { $0.event == .start } == 1)
        #expect(throws: RuntimeError.unknownPart) { try substrate.stop(key("sim-0", 2)) }
    }

    @Test("What happens to an allocation depends on the seed and its id only")
    func deterministic() {
        let spec = fleet(
            start: .logNormal(medianSeconds: 1, sigma: 0.5, capSeconds: 20),
            stop: .uniform(fromSeconds: 1, toSeconds: 2), startFailuresPerMillion: 100_000)
        let fates = (0..<2000).map { SimulatedFate(of: id($0), spec: spec) }
        for (number, fate) in fates.enumerated().reversed() {
            let again = SimulatedFate(of: id(number), spec: spec)
            #expect(again.startLatency == fate.startLatency && again.startFails == fate.startFails)
        }
        let failures = fates.count { $0.startFails }
        #expect((140...260).contains(failures))
        let sorted = fates.map(\.startLatency).sorted()
        #expect(sorted[1000] > .milliseconds(900) && sorted[1000] < .milliseconds(1100))
        #expect(fates.allSatisfy { $0.stopLatency >= .seconds(1) && $0.stopLatency < .seconds(2) })
    }

    @Test("Without a renewal, `stop` parts end at the deadline and `keep` parts go on")
    func fence() throws {
        let substrate = try open()
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
        let deadline = clock.wallTime().advanced(by: .seconds(25))
        try substrate.start(start("sim-0", 1, onPartition: .stop))
        try substrate.start(start("sim-0", 2, onPartition: .keep))
        clock.advance(.milliseconds(24_999))
        #expect(try substrate.parts().map(\.state) == [.running, .running])
        // Looked at late, the stop still happened at the deadline.
        clock.advance(.seconds(7))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced), .running])
        let stop = try #require(try records().last)
        #expect(stop.time == deadline && stop.reason == .fenced && stop.allocation == id(1))
    }

    @Test("A start of a `stop` part past the deadline, or before any renewal, is refused")
    func fencedStart() throws {
        let substrate = try open(clock: clock)
        clock.advance(.seconds(1))
        #expect(throws: RuntimeError.self) {
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
        clock.advance(.seconds(25))
        #expect(throws: RuntimeError.self) {
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        #expect(try records().isEmpty)
    }

    @Test("A late renewal brings nothing back, and hosts it leaves out keep their deadline")
    func renewals() throws {
        let substrate = try open()
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
        for number in 0..<3 { try substrate.start(start("sim-\(number)", number, onPartition: .stop)) }
        clock.advance(.seconds(20))
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25, except: ["sim-1"]))
        clock.advance(.seconds(6))
        #expect(try substrate.parts().map(\.state) == [.running, .ended(.fenced), .running])
        clock.advance(.seconds(30))
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced), .ended(.fenced), .ended(.fenced)])
        let times = try records().filter { $0.event == .stop }.map { $0.time.since(clock.wallTime()) }
        #expect(times == [.seconds(-31), .seconds(-11), .seconds(-11)])
    }

    @Test("A renewal with shorter terms takes effect at once")
    func shorterTerms() throws {
        let substrate = try open()
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
        try substrate.start(start("sim-0", 1, onPartition: .stop))
        clock.advance(.seconds(1))
        substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 3))
        clock.advance(.seconds(3))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced)])
    }

    @Test("Dead for a while: parts go on, starts complete, deadlines hold at their time")
    func dead() throws {
        var deadline = clock.wallTime()
        do {
            let substrate = try open()
            substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
            deadline = clock.wallTime().advanced(by: .seconds(25))
            try substrate.start(start("sim-0", 1, onPartition: .stop))
            try substrate.start(start("sim-0", 2, onPartition: .keep))
        }
        clock.advance(.seconds(100))
        let substrate = try open()
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced), .running])
        let events = try records()
        #expect(events.map(\.event) == [.start, .start, .stop, .adopt])
        #expect(events[2].time == deadline)
        #expect(events[3].allocation == id(2) && events[3].time == clock.wallTime())
        #expect(substrate.takeChanges().parts.isEmpty)
    }

    @Test("Dead for less than the deadline: nothing is stopped, and the deadline is still the old one")
    func deadShortly() throws {
        do {
            let substrate = try open()
            substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        clock.advance(.seconds(20))
        let substrate = try open()
        #expect(try substrate.parts().map(\.state) == [.running])
        clock.advance(.seconds(5))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced)])
    }

    @Test(
        "Across boots wall time decides; where it went back the deadline counts as passed",
        arguments: [(20.0, false), (24.9, false), (25.0, true), (-5.0, true)])
    func otherBoot(_ away: Double, _ isFenced: Bool) throws {
        do {
            let substrate = try open()
            substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        let wall = clock.wallTime().seconds + away
        let after = ManualClock(now: 3, wall: wall, bootID: "boot-2")
        let substrate = try open(clock: after)
        let states = try substrate.parts().map(\.state)
        #expect(states == (isFenced ? [.ended(.fenced)] : [away > 0 ? .running : .starting]))
        guard away == 20 else { return }
        after.advance(.seconds(5))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced)])
    }

    @Test(
        "Within a boot deadlines are exact, whatever was done to the wall clock", arguments: [-9000.0, 9000])
    func wallClockSet(_ jump: Double) throws {
        do {
            let substrate = try open()
            substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        let after = ManualClock(now: 1020, wall: clock.wallTime().seconds + jump)
        let substrate = try open(clock: after)
        after.advance(.seconds(4))
        #expect(try substrate.parts().map(\.state) == [.running])
        after.advance(.seconds(1))
        #expect(try substrate.parts().map(\.state) == [.ended(.fenced)])
    }

    @Test("Deadlines that were lost count as passed")
    func lostDeadlines() throws {
        do {
            let substrate = try open()
            substrate.renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: 25))
            try substrate.start(start("sim-0", 1, onPartition: .stop))
        }
        try directory.remove("fence.json")
        #expect(try open().parts().map(\.state) == [.ended(.fenced)])
    }

    @Test("A part that ran on two hosts at once is found, one that moved is not")
    func overlaps() {
        func run(_ host: String, _ number: Int, workload: Int, _ from: Double, _ to: Double?) -> RunInterval {
            RunInterval(
                host: host, allocation: id(number), workload: id(workload), part: "vm",
                from: Timestamp(seconds: from), to: to.map { Timestamp(seconds: $0) })
        }
        let moved = [run("a", 1, workload: 1, 0, 10), run("b", 2, workload: 1, 10, nil)]
        #expect(moved.overlaps.isEmpty)
        let twice = [
            run("c", 3, workload: 2, 9, 12), run("a", 4, workload: 2, 0, 20),
            run("b", 5, workload: 2, 15, nil),
        ]
        #expect(twice.overlaps.map(\.second.host) == ["c", "b"])
        let forever = [run("a", 6, workload: 3, 0, nil), run("b", 7, workload: 3, 50, 60)]
        #expect((moved + twice + forever).overlaps.count == 3)
    }

    @Test("The fleet's inventory has unique names and devices, spread over zones and racks")
    func inventory() throws {
        var spec = fleet(count: 1000)
        spec.zones = 3
        spec.racksPerZone = 4
        spec.devices = .init(model: "h100-80g", memoryMiB: 81_920, perHost: 8, hostsPerMille: 250)
        spec.labels = ["cpu.vendor": "simulated"]
        #expect(spec.defects().isEmpty)
        let hosts = spec.hosts
        #expect(hosts == spec.hosts)
        #expect(hosts.map(\.name) == hosts.map(\.name).sorted())
        #expect(hosts.first?.name == "sim-000" && hosts.last?.name == "sim-999")
        #expect(Set(hosts.map(\.inventory.domain)).count == 12)
        #expect(hosts.count { !$0.inventory.devices.isEmpty } == 250)
        let devices = hosts.flatMap(\.inventory.devices)
        #expect(Set(devices.map(\.uuid)).count == 2000)
        #expect(devices.allSatisfy { $0.uuid.count == 40 })
        spec.count = 0
        spec.namePrefix = "Not A Name"
        spec.startLatency = .uniform(fromSeconds: 3, toSeconds: 2)
        #expect(spec.defects().map(\.field) == ["count", "namePrefix", "startLatency"])
    }
}
