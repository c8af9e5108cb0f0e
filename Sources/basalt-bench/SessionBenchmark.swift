import Fleet
import Foundation
import Logging
import Store

/// CPU of a controller that carries one agent session of thousands of simulated hosts: idle, and while VMs
/// come and go. Real processes, at the default renewal of 5 s.
///
/// VMs are created and deleted through the store of the daemon's database, so the API's part is not in the
/// figures; planning, polls, reports and watches are.
///
/// Options: `--hosts N`, `--windows N` (at least 5), `--seconds S` of a window, `--churn N` VMs per second.
struct SessionBenchmark<C: Clock<Duration>> {
    let options: BenchmarkOptions
    let clock: C

    /// Per cent of one core in one window.
    private struct Window {
        var controller: Double
        var postgres: Double
        var agent: Double
    }

    func run() async throws {
        let hosts = try options.number("hosts", default: 5000, atLeast: 1)
        let windows = try options.number("windows", default: 5, atLeast: 5)
        let seconds = try options.number("seconds", default: 20, atLeast: 1)
        let churn = try options.number("churn", default: 50, atLeast: 1)
        print("calibration_ms \(Calibration.milliseconds(clock))  windows \(windows) x \(seconds) s")
        var logger = Logger(label: "basalt-bench")
        logger.logLevel = .error
        let processes = try await ControlPlaneProcesses(hosts: hosts, logger: logger)
        defer { do { try processes.stop() } catch { StandardError.write("not removed: \(error)") } }
        try await withThrowingTaskGroup { group in
            group.addTask { await processes.store.run() }
            try await processes.prepare()
            try await hello(processes, hosts: hosts)
            // What the hello left to do is not idleness.
            try await Task.sleep(for: .seconds(10))
            report("idle", try await measure(processes, windows, seconds), processes)
            let tenant = Tenant(store: processes.store, perSecond: churn)
            group.addTask { try await tenant.run() }
            // Until as many end as begin.
            try await Task.sleep(for: Tenant.lifetime + .seconds(10))
            report("\(churn) VMs/s", try await measure(processes, windows, seconds), processes)
            group.cancelAll()
        }
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    /// Starts the agent and waits until every host is ready.
    private func hello(_ processes: ControlPlaneProcesses, hosts: Int) async throws {
        let start = clock.now
        try processes.agent.run()
        while try await processes.store.hosts(.cell(ControlPlaneProcesses.cell)).count < hosts {
            guard processes.agent.isRunning else {
                throw BenchmarkError("the agent ended; see \(processes.directory.path)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let taken = Spread.milliseconds(start.duration(to: clock.now))
        print("hello of \(hosts) hosts, from the agent's start to the last host ready: \(Int(taken)) ms")
        print("load | basaltd % of a core | Postgres % | agent % | basaltd MiB | agent MiB")
    }

    private func measure(
        _ processes: ControlPlaneProcesses, _ windows: Int, _ seconds: Int
    ) async throws -> [Window] {
        let controller = ProcessUsage(processID: processes.controller.processIdentifier)
        let agent = ProcessUsage(processID: processes.agent.processIdentifier)
        let postgres = try processes.postgres
        var found: [Window] = []
        for _ in 0..<windows {
            let start = clock.now
            let before = try (controller.seconds(), postgres.seconds(children: true), agent.seconds())
            try await Task.sleep(for: .seconds(seconds))
            let after = try (controller.seconds(), postgres.seconds(children: true), agent.seconds())
            let taken = start.duration(to: clock.now) / .seconds(1)
            found.append(
                Window(
                    controller: (after.0 - before.0) / taken * 100,
                    postgres: (after.1 - before.1) / taken * 100,
                    agent: (after.2 - before.2) / taken * 100))
        }
        return found
    }

    private func report(_ load: String, _ windows: [Window], _ processes: ControlPlaneProcesses) {
        func spread(_ value: (Window) -> Double) -> String { Spread(windows.map(value)).text(digits: 1) }
        func memory(_ process: Process) -> String {
            // A process that has ended tells nothing.
            (try? ProcessUsage(processID: process.processIdentifier).residentMiB).map(String.init) ?? "-"
        }
        print(
            load, spread(\.controller), spread(\.postgres), spread(\.agent), memory(processes.controller),
            memory(processes.agent), separator: " | ")
    }
}
