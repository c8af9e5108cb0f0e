import Fleet
import Foundation
import Replay
import Testing
import VMPlacement

@Suite struct ExperimentTests {
    private func options(
        hosts: Int = 2, shape: String = "4x8", policies: [PlacementPolicy] = [.bestFit], warmUp: Int = 0,
        until: Int? = nil, step: Int = 10, timing: Bool = false,
        prediction: LifetimePrediction? = nil
    ) throws -> VMExperiment.Options {
        try VMExperiment.Options(
            hosts: hosts, shape: HostShape(parsing: shape), policies: policies, warmUpSeconds: warmUp,
            untilSeconds: until, sampleStepSeconds: step, measuresTime: timing,
            prediction: prediction)
    }

    private func run(_ vms: [TraceVM], _ options: VMExperiment.Options) throws -> [PolicyResult] {
        try VMExperiment(options: options).run(VMTrace(vms: vms), clock: ContinuousClock())
    }

    @Test func metricsAreMeansOverTheSamplesOfTheWindow() throws {
        // Samples at 0, 10 and 20 see 1, 2 and 0 hosts in use, with 3 of 4 and 5 of 8 vCPUs.
        let vms = [vm(0, 15, vCPU: 3), vm(10, 20, vCPU: 2), vm(10, 20, vCPU: 3), vm(21, 30)]
        let result = try run(vms, options(until: 20))
        #expect(
            result == [
                PolicyResult(
                    policy: .bestFit, emptyHostsPct: 50, densityPct: 68.75, placed: 2, failed: 1,
                    emptyHosts: [50, 0, 100])
            ])
    }

    @Test func theWarmUpFillsTheFleetAndIsNotCounted() throws {
        let vms = [vm(0, 100, vCPU: 4), vm(1, 100, vCPU: 4), vm(2, 3), vm(50, 60), vm(100, 101)]
        let result = try run(vms, options(warmUp: 40, until: 60))
        #expect(result.first?.placed == 0 && result.first?.failed == 1)
        #expect(result.first?.emptyHostsPct == 0 && result.first?.densityPct == 100)
        // Without an end the run goes to the last arrival, for which the departures at its time make room.
        #expect(try run(vms, options(warmUp: 40)).first?.placed == 1)
    }

    @Test func aVMThatFailedIsNotTriedAgainAndGivesNothingBack() throws {
        let vms = [vm(0, 50, vCPU: 4), vm(1, 5, vCPU: 4), vm(6, 50, vCPU: 4)]
        let result = try run(vms, options(hosts: 1, until: 20))
        #expect(result.first?.placed == 1 && result.first?.failed == 2)
        #expect(result.first?.densityPct == 100)
    }

    @Test func everyPolicyGetsTheSameTrace() throws {
        let vms = [vm(0, 90, vCPU: 1), vm(1, 90, vCPU: 4), vm(2, 3, vCPU: 3), vm(4, 90, vCPU: 3)]
        let results = try run(vms, options(policies: [.firstFit, .bestFit], until: 30))
        #expect(results.map(\.policy) == [.firstFit, .bestFit])
        #expect(results.allSatisfy { $0.placed == 4 && $0.failed == 0 })
    }

    @Test func theJSONHasEveryKeyAndNullForWhatWasNotMeasured() throws {
        let results = try run([vm(0, 30)], options(until: 20))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = String(decoding: try encoder.encode(results), as: UTF8.self)
        #expect(
            json == #"[{"classAccuracy":null,"decisionP99Us":null,"decisionsPerSecond":null,"#
                + #""densityPct":25,"emptyHostsPct":50,"failed":0,"placed":1,"policy":"best-fit","predictionsPerPlacement":null,"#
                + #""stranding":null}]"#
        )
        var plain = results
        for index in plain.indices { plain[index].emptyHosts = [] }
        #expect(try JSONDecoder().decode([PolicyResult].self, from: Data(json.utf8)) == plain)
    }

    @Test func timesComeFromTheInjectedClockAndOnlyWhenAsked() throws {
        let clock = SteppingClock(step: .microseconds(4))
        let trace = VMTrace(vms: [vm(0, 30), vm(1, 30), vm(2, 30)])
        let measured = try VMExperiment(options: options(until: 20, timing: true)).run(trace, clock: clock)
        #expect(measured.first?.decisionsPerSecond == 250_000)
        #expect(measured.first?.decisionP99Us == 4)
        let reads = clock.reads
        _ = try VMExperiment(options: options(until: 20)).run(trace, clock: clock)
        #expect(clock.reads == reads)
    }

    @Test func theCommittedSampleRepeatsItself() throws {
        let sample = PackageRoot.url.appending(path: "Benchmarks/traces/azure-v1-sample.csv")
        let trace = try VMTraceReader().read(.file(path: sample.path))
        #expect(trace.vms.count == 20_000)
        #expect(trace.vms.first?.arrival == 0 && trace.lastArrival == 153_300_000_000)
        let part = VMTrace(vms: Array(trace.vms.prefix(1500)))
        let options = try options(
            hosts: 40, shape: "64x192", policies: PlacementPolicy.allCases, step: 600,
            prediction: .oracle(sigma: 1))
        #expect(try run(part.vms, options) == run(part.vms, options))
        #expect(try run(part.vms, options).allSatisfy { $0.failed == 0 })
    }
}
