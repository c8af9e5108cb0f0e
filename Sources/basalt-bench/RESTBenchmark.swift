import APITypes
import Client
import Fleet
import Foundation
import Logging
import ProgramShell
import Store
import Synchronization

/// Latencies of the REST API of one controller with thousands of hosts and tens of thousands of VMs, as its
/// users see them: real processes, TLS, an open loop. A latency counts from the time at which a request was
/// due, so that a stall is not left out because nothing was sent meanwhile.
///
/// First VMs are created at a steady rate while others are read one by one and in pages; a watch tells when
/// each has its allocation. Then labels are changed while many watch; each watcher must see every change.
///
/// Options: `--hosts N`, `--vms N`, `--creates N` per second, `--seconds S`, `--windows N` (at least 5),
/// `--watchers N`, `--changes N` per second, `--watch-seconds S`.
struct RESTBenchmark {
    private static let getsPerSecond = 50
    private static let pagesPerSecond = 2
    private static let pageSize = 500

    let options: BenchmarkOptions

    func run() async throws {
        let hosts = try options.number("hosts", default: 5000, atLeast: 1)
        let vms = try options.number("vms", default: 50_000, atLeast: 1000)
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))  hosts \(hosts)  VMs \(vms)")
        var logger = Logger(label: "basalt-bench")
        logger.logLevel = .error
        let processes = try await ControlPlaneProcesses(hosts: hosts, logger: logger)
        defer { do { try processes.stop() } catch { StandardError.write("not removed: \(error)") } }
        try await withThrowingTaskGroup { group in
            group.addTask { await processes.store.run() }
            try await processes.prepare()
            try processes.agent.run()
            let fleet = RunningFleet(processes: processes)
            try await fleet.ready(hosts: hosts)
            try await fleet.fill(vms: vms)
            let client = try RESTClient(try configuration(processes), seams: seams)
            try await creations(client, existing: vms)
            try await watches(processes, client)
            try await client.shutdown()
            group.cancelAll()
        }
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))")
    }

    private func configuration(_ processes: ControlPlaneProcesses) throws -> ClientConfiguration {
        var limits = ClientLimits.standard
        limits.connections = 64
        return ClientConfiguration(
            servers: [try ServerAddress(processes.address)], token: try processes.token,
            certificateFile: processes.certificateFile, limits: limits)
    }

    private var seams: ClientSeams {
        ClientSeams(
            sleep: SystemSeams.sleep, random: SystemSeams.random,
            ids: SystemSeams.ids)
    }

    // MARK: Creations

    private func creations(_ client: RESTClient, existing: Int) async throws {
        let rate = try options.number("creates", default: 200, atLeast: 1)
        let windows = try options.number("windows", default: 6, atLeast: 5)
        let seconds = try options.number("seconds", default: 60, atLeast: windows)
        let answered = LatencySamples(windows: windows)
        let allocated = LatencySamples(windows: windows)
        let got = LatencySamples(windows: windows)
        let paged = LatencySamples(windows: windows)
        let vms = Collection(.vm, project: ControlPlaneProcesses.project)
        let creating = OpenLoop(perSecond: rate, seconds: seconds, windows: windows)
        let watch = AllocationWatch(loop: creating, samples: allocated)
        try await withThrowingTaskGroup { group in
            group.addTask { try await watch.run(client, vms) }
            try await watch.started()
            // Everything is due from here on.
            creating.begin()
            group.addTask {
                try await creating.run(answered) { _ = try await client.create(watch.draft($0), in: vms) }
            }
            group.addTask {
                let loop = OpenLoop(perSecond: Self.getsPerSecond, seconds: seconds, windows: windows)
                loop.begin()
                try await loop.run(got) { number in
                    _ = try await client.get(RunningFleet.name(number * 997 % existing), in: vms)
                }
            }
            group.addTask {
                let loop = OpenLoop(perSecond: Self.pagesPerSecond, seconds: seconds, windows: windows)
                loop.begin()
                try await loop.run(paged) { _ in
                    _ = try await client.list(vms, ListOptions(limit: Self.pageSize))
                }
            }
            for _ in 0..<3 { try await group.next() }
            // The last ones are still on their way; who never gets there is said below.
            let patience = ContinuousClock.now + .seconds(10)
            while allocated.count < rate * seconds, .now < patience {
                try await Task.sleep(for: .milliseconds(50))
            }
            group.cancelAll()
        }
        print("\(rate) creates/s for \(seconds) s, ms | n | p50 | p99 | p99 of all | worst")
        print(answered.line("create answered"))
        print(allocated.line("create to allocated"))
        print(got.line("get, \(Self.getsPerSecond)/s"))
        print(paged.line("page of \(Self.pageSize), \(Self.pagesPerSecond)/s"))
        if allocated.count < rate * seconds {
            print("not allocated: \(rate * seconds - allocated.count)")
        }
    }

    // MARK: Watches

    private func watches(_ processes: ControlPlaneProcesses, _ client: RESTClient) async throws {
        let count = try options.number("watchers", default: 200, atLeast: 1)
        let rate = try options.number("changes", default: 100, atLeast: 1)
        let windows = try options.number("windows", default: 6, atLeast: 5)
        let seconds = try options.number("watch-seconds", default: 30, atLeast: windows)
        let samples = LatencySamples(windows: windows)
        let answered = LatencySamples(windows: windows)
        let loop = OpenLoop(perSecond: rate, seconds: seconds, windows: windows)
        let vms = Collection(.vm, project: ControlPlaneProcesses.project)
        let version = try await client.list(vms, ListOptions(limit: 1)).resourceVersion
        let streams = try ChangeStreams(processes: processes, since: version, loop: loop, samples: samples)
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await streams.follow() } }
            try await streams.started(count)
            loop.begin()
            try await loop.run(answered) { number in
                let name = RunningFleet.name(number)
                let patch = JSONValue.object([
                    "metadata": .object(["annotations": .object(["seq": .string(ChangeStreams.mark(number))])]
                    )
                ])
                let document = try await client.get(name, in: vms)
                _ = try await client.patch(name, in: vms, with: patch, match: .version(of: document))
            }
            let patience = ContinuousClock.now + .seconds(10)
            while samples.count < count * rate * seconds, .now < patience {
                try await Task.sleep(for: .milliseconds(50))
            }
            group.cancelAll()
        }
        try await streams.shutdown()
        print(
            "\(count) watchers, \(rate) changes/s for \(seconds) s, ms | n | p50 | p99 | p99 of all | worst")
        print(answered.line("get and patch"))
        print(samples.line("due to received"))
        print("lost: \(count * rate * seconds - samples.count)")
    }
}
