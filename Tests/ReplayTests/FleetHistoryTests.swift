import Fleet
import Foundation
import Replay
import Testing
import VMPlacement

/// A fleet's own history as a trace, beside what really happened.
@Suite struct FleetHistoryTests {
    private static let start = Timestamp(seconds: 1_700_000_000)

    private static func vm(
        _ number: Int, from: Double, to: Double?, on hosts: [String] = ["a"], labels: [String: String] = [:]
    ) throws -> VMHistoryRecord {
        let uid = try #require(
            ID<Document>("00000000-0000-0000-0000-0000000000" + (number < 10 ? "0" : "") + "\(number)"))
        let times = (start.advanced(by: .seconds(from)), to.map { start.advanced(by: .seconds($0)) })
        return VMHistoryRecord(
            uid: uid, project: "shop, inc", name: "vm-\(number)", cell: "c", pool: "p", labels: labels,
            resources: Resources(milliCPU: 1500, memoryMiB: 1000), startedAt: times.0, endedAt: times.1,
            stays: hosts.map { .init(host: $0, from: times.0, until: times.1) })
    }

    private static func history() throws -> FleetHistory {
        let usable = Resources(milliCPU: 3000, memoryMiB: 4096)
        return FleetHistory(
            vms: [
                try vm(2, from: 3600, to: 7200, on: ["b"], labels: ["App": "say \"hi\"", "vcpu": "x"]),
                try vm(1, from: 0, to: 10_800.25), try vm(3, from: 7200, to: nil, on: ["gone"]),
            ],
            hosts: [.init(name: "b", usable: usable), .init(name: "a", usable: usable)],
            now: start.advanced(by: .seconds(14_400)))
    }

    @Test func theFileIsTheTrace() throws {
        let history = try Self.history()
        let text = history.text
        #expect(
            text.hasPrefix("arrive_s,depart_s,vcpu,mem_gb,project,class,pool,name,censored,app\n"), "\(text)")
        let path = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: path) }  // why: nothing depends on it
        try Data(text.utf8).write(to: path)
        let read = try VMTraceReader(columns: ["project", "class", "censored", "app"])
            .read(TraceSource(argument: path.path))
        #expect(read == history.trace)
        #expect(read.features(1).attributes == ["app": "say \"hi\""])
        #expect(read.observation(2).hasEnded == false && read.vms[0].departure == 10_800_250_000)
    }

    @Test func whatReallyHappenedIsMeasuredAsPoliciesAre() throws {
        let history = try Self.history()
        let options = VMExperiment.Options(
            hosts: 2, shape: HostShape(resources: .zero), policies: [.bestFit], untilSeconds: 14_400,
            sampleStepSeconds: 3600)
        // Host a is busy at 0, 1, 2 and 3 h, b at 1 h alone; a VM on a host that is gone counts nowhere.
        let actual = ActualPlacements(history, options: options)
        #expect(actual.placed == 3)
        #expect(actual.emptyHostsPct == 50 && actual.densityPct == 50, "\(actual)")
    }

    @Test func hostsOfAFleetMayDiffer() throws {
        let history = try Self.history()
        var options = VMExperiment.Options(
            hosts: 2, shape: HostShape(resources: Resources(milliCPU: 1, memoryMiB: 1)),
            policies: [.bestFit, .firstFit], untilSeconds: 14_400)
        options.fleet = [
            Resources(milliCPU: 1500, memoryMiB: 1000), Resources(milliCPU: 3000, memoryMiB: 4096),
        ]
        let results = try VMExperiment(options: options).run(history.trace, clock: ContinuousClock())
        #expect(results.map(\.placed) == [3, 3] && results.map(\.failed) == [0, 0])
    }
}
