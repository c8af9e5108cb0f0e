import AgentProtocol
import Fleet
import Foundation
import ProgramShell
import Store

/// What one sample of a VM's use costs the controller and its database: reports as agents send them, decoded
/// and taken by the Postgres store; and how long the database then takes to make an hour of such samples.
///
/// Options: `--hosts N`, `--vms N` of each host, `--rounds N`, each with one bin of every VM, and an hour of
/// twelve. The goal is 100,000 samples a minute for less than half a core of the controller.
struct UsageBenchmark<C: Clock<Duration>> {
    private static var binsPerReport: Int { 20_000 }

    let options: BenchmarkOptions
    let clock: C

    func run() async throws {
        let hosts = try options.number("hosts", default: 2000, atLeast: 1)
        let vms = try options.number("vms", default: 50, atLeast: 1)
        let rounds = try options.number("rounds", default: 5, atLeast: 1)
        print("calibration_ms \(Calibration.milliseconds(clock))  hosts \(hosts)  VMs of each \(vms)")
        let cluster = BenchmarkCluster()
        try await cluster.with { store in
            let session = try await join(hosts, store)
            // The first round prepares statements; it does not count.
            _ = try await round(0, session, hosts, vms, store)
            var (cpu, seconds) = (0.0, 0.0)
            for index in 1...rounds {
                let cost = try await round(index, session, hosts, vms, store)
                cpu += cost.cpu
                seconds += cost.seconds
            }
            let samples = Double(rounds * hosts * vms)
            print(
                "samples \(Int(samples))", "µs of CPU per sample \(Self.text(cpu / samples * 1_000_000))",
                "samples/s \(Int(samples / seconds))",
                "cores at 100,000 samples/min \(Self.text(cpu / samples * 100_000 / 60))", separator: "  ")
        }
        try await rollUp(hosts: hosts, vms: vms, rounds: rounds)
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    /// Hours of a fleet that is full: every VM told twelve bins, and so did every host.
    private func rollUp(hosts: Int, vms: Int, rounds: Int) async throws {
        let cluster = BenchmarkCluster()
        try await cluster.with { store in
            let fleet = FilledFleet(cells: ["a"], hosts: hosts, vmsPerHost: vms, usePct: 70)
            try await fleet.fill(cluster)
            // The latest hour that is over for long enough to be counted.
            let hour = (Int(SystemSeams.now().seconds) - 1200) / 3600 * 3600 - 3600
            try await cluster.script(fleet.bins(ofHour: hour))
            try await cluster.script("VACUUM (ANALYZE)")
            for _ in 1...rounds {
                try await cluster.script(
                    "TRUNCATE usage_hour, usage_scope; UPDATE usage_roll SET rolled_to = \(hour)")
                let start = clock.now
                let made = try await store.rollUpUsage()
                let seconds = start.duration(to: clock.now) / .seconds(1)
                print("hours made \(made)  of bins \(12 * hosts * vms)  seconds \(Self.text(seconds))")
            }
        }
    }

    private func join(_ hosts: Int, _ store: PostgresStore) async throws -> ID<AgentSession> {
        let context = WriteContext(actor: "bench", verb: "create")
        let drafts: [(Kind, String, String)] = [
            (.cell, "a", "{}"), (.pool, "p", #"{"admits":["vm"],"cell":"a"}"#),
        ]
        for (kind, name, spec) in drafts {
            _ = try await store.create(
                [
                    DocumentDraft(
                        uid: ID(SystemSeams.ids.next()), kind: kind, project: nil, name: name, spec: spec)
                ],
                context: context)
        }
        try await store.createJoinToken(
            JoinToken(
                secretHash: "t", cell: "a", pool: "p", hostPattern: "h-*", lifetime: .seconds(600)),
            context: context, isTrial: false)
        let session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: ID(SystemSeams.ids.next()), name: "s", substrate: "simulated",
                hosts: [], credentialHash: "c"))
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 64_000, memoryMiB: 262_144), substrate: "simulated")
        _ = try await store.hello(
            SessionHello(
                session: session,
                hosts: (0..<hosts).map {
                    HostHello(name: "h-\($0)", inventory: inventory, generation: nil, parts: [])
                }, ids: SystemSeams.ids, terms: .standard))
        return session
    }

    /// Reports of every host with one bin of each VM, as the wire carries them.
    ///
    /// - Returns: seconds of CPU and of the clock from the body of a request to the commit.
    private func round(
        _ index: Int, _ session: ID<AgentSession>, _ hosts: Int, _ vms: Int, _ store: PostgresStore
    ) async throws -> (cpu: Double, seconds: Double) {
        var cost = (cpu: 0.0, seconds: 0.0)
        let now = Int(SystemSeams.now().seconds) / 300 * 300
        let perReport = max(1, Self.binsPerReport / vms)
        for first in stride(from: 0, to: hosts, by: perReport) {
            let told = (first..<min(hosts, first + perReport)).map { host in
                HostUsage(
                    name: "h-\(host)", rung: .observe, signals: UsageSignals(use: 0.5),
                    bins: (0..<vms).map { vm in
                        UsageBin(
                            vm: ID(SystemSeams.ids.next()), start: now - index * 300, soldMilliCPU: 4000,
                            meanMilliCPU: 400 + vm, p90MilliCPU: 900 + vm, maxMilliCPU: 1500 + vm)
                    })
            }
            let body = try JSONEncoder().encode(UsageRequest(hosts: told))
            let (before, start) = (try ProcessUsage.own.seconds(), clock.now)
            let request = try JSONDecoder().decode(UsageRequest.self, from: body)
            _ = try await store.takeUsage(request.hosts, session: session)
            cost.cpu += try ProcessUsage.own.seconds() - before
            cost.seconds += start.duration(to: clock.now) / .seconds(1)
        }
        return cost
    }

    private static func text(_ value: Double) -> String { String(format: "%.3f", value) }
}
