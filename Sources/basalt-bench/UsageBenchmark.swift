import AgentProtocol
import Fleet
import Foundation
import Store

/// What one sample of a VM's use costs the controller and its database: reports as agents send them, decoded
/// and taken by the Postgres store.
///
/// Options: `--hosts N`, `--vms N` of each host, `--rounds N`, each with one bin of every VM. The goal is
/// 100,000 samples a minute for less than half a core of the controller.
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
        print("calibration_ms \(Calibration.milliseconds(clock))")
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
                        uid: ID(SystemIDs.source.next()), kind: kind, project: nil, name: name, spec: spec)
                ],
                context: context)
        }
        try await store.createJoinToken(
            JoinToken(
                secretHash: "t", cell: "a", pool: "p", hostPattern: "h-*", lifetime: .seconds(600)),
            context: context, isTrial: false)
        let session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: ID(SystemIDs.source.next()), name: "s", substrate: "simulated",
                hosts: [], credentialHash: "c"))
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 64_000, memoryMiB: 262_144), substrate: "simulated")
        _ = try await store.hello(
            SessionHello(
                session: session,
                hosts: (0..<hosts).map {
                    HostHello(name: "h-\($0)", inventory: inventory, generation: nil, parts: [])
                }, ids: SystemIDs.source, terms: .standard))
        return session
    }

    /// Reports of every host with one bin of each VM, as the wire carries them.
    ///
    /// - Returns: seconds of CPU and of the clock from the body of a request to the commit.
    private func round(
        _ index: Int, _ session: ID<AgentSession>, _ hosts: Int, _ vms: Int, _ store: PostgresStore
    ) async throws -> (cpu: Double, seconds: Double) {
        var cost = (cpu: 0.0, seconds: 0.0)
        let now = Int(SystemIDs.now().seconds) / 300 * 300
        let perReport = max(1, Self.binsPerReport / vms)
        for first in stride(from: 0, to: hosts, by: perReport) {
            let told = (first..<min(hosts, first + perReport)).map { host in
                HostUsage(
                    name: "h-\(host)", rung: .observe, signals: UsageSignals(use: 0.5),
                    bins: (0..<vms).map { vm in
                        UsageBin(
                            vm: ID(SystemIDs.source.next()), start: now - index * 300, soldMilliCPU: 4000,
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
