import Foundation
import Testing
import TrainingScheduling

@testable import Replay

/// A table from lines of text.
private func source(_ text: String) -> TraceSource { .bytes(Array(text.utf8), name: "t.csv") }

struct TrainingSimulationTests {
    private let clock = SteppingClock(step: .milliseconds(1))

    private func speeds() throws -> MeasuredSpeeds {
        let text = """
            model,exec_plan,placement,iter_time_s
            small,ga,1,1.0
            small,ga,2,0.55
            small,zero-dp,2,0.5
            small,ga,4,0.3
            small,ga,22,0.35
            small,ga,8,0.2
            large,181,8,4.0
            large,182,88,1.1
            large,441,4444,3.0
            broken,ga,1,0
            """
        return try MeasuredSpeedReader().read([(nil, source(text))])
    }

    private func workload(_ count: Int, _ random: inout SplitMix64) throws -> TrainingWorkload {
        var rows = "name,submission_time,duration,application,num_gpus,num_cpus,exec_plan,steps,is_sla\n"
        let shapes = [
            ("small", 1, "ga"), ("small", 2, "ga"), ("small", 4, "ga"), ("large", 8, "181"),
            ("large", 16, "182"),
        ]
        for id in 0..<count {
            let (model, gpus, plan) = shapes[Int(random.next() % 5)]
            let steps = 1 + random.next() % 4000
            rows +=
                "job-\(id),\(random.next() % 9000),60,\(model),\(gpus),\(8 * gpus),\(plan),\(steps),\(random.next() % 2)\n"
        }
        return try TrainingWorkloadReader().read(source(rows))
    }

    private func options(_ policies: [TrainingPolicyName], nodes: Int = 3) -> TrainingExperiment.Options {
        TrainingExperiment.Options(nodes: nodes, policies: policies, seed: 7)
    }

    @Test func everyPolicyEndsEveryJobAndSaysTheSameTwice() throws {
        var random = SplitMix64(seed: 1)
        let workload = try workload(40, &random)
        let experiment = try TrainingExperiment(options: options(TrainingPolicyName.allCases))
        let first = try experiment.run(workload, try speeds(), clock: clock)
        #expect(first.map(\.policy) == TrainingPolicyName.allCases)
        for result in first {
            #expect(result.unfinished == 0 && result.run.outcomes.count == 40, "\(result.policy)")
            #expect(result.meanJct > 0 && result.makespan > 0 && result.gpuUtilPct <= 100)
            #expect(result.roundP99Ms == nil)
        }
        #expect(try experiment.run(workload, try speeds(), clock: clock) == first)
        let rubick = first.filter { $0.policy.rawValue.hasPrefix("rubick") }
        #expect(rubick.count == 4 && rubick.allSatisfy { $0.guaranteeViolations == 0 })
    }

    /// What a round may do to the cluster, whatever the trace.
    @Test func aThousandRandomTracesKeepTheInvariants() throws {
        let speeds = try speeds()
        for seed in 0..<1000 {
            var random = SplitMix64(seed: UInt64(seed))
            let workload = try workload(2 + Int(random.next() % 5), &random)
            let experiment = try TrainingExperiment(options: options([.rubick], nodes: 2 + seed % 2))
            let jobs = try experiment.jobs(workload, speeds, .rubick)
            var settings = TrainingSimulation.Settings()
            settings.roundSeconds = 600
            if seed % 10 == 0 { settings.losses = [.init(at: 3000, node: 0)] }
            var simulation = TrainingSimulation(
                jobs: jobs, nodes: experiment.options.fleet, policy: RubickPolicy(.init(gate: 0.9)),
                settings: settings)
            var timings: DecisionTimings?
            var defects: [String] = []
            let run = simulation.finish(clock: clock, timings: &timings) { state, decision in
                defects += Self.defects(state, decision)
            }
            #expect(defects == [], "seed \(seed)")
            #expect(run.guaranteeViolations == 0, "seed \(seed)")
            // Two nodes less one cannot run what needs two.
            let isWhole = settings.losses.isEmpty || experiment.options.nodes > 2
            #expect(!isWhole || run.unfinished.isEmpty, "seed \(seed)")
        }
    }

    private static func defects(_ state: RoundState, _ decision: RoundDecision) -> [String] {
        var room = state.room
        var defects: [String] = []
        for change in decision.changes {
            guard let job = state.jobs.first(where: { $0.job.id == change.job }) else {
                return ["unknown job"]
            }
            if case .starting = job.phase, change.cause != .nodeLost {
                defects.append("a starting job moves")
            }
            if let grant = job.grant { room.give(grant) }
        }
        for change in decision.changes {
            if let grant = change.to { room.take(grant) }
        }
        if !room.isSound { defects.append("a node gives more than it has") }
        let changed = Set(decision.changes.map(\.job))
        let waiting = Set(decision.waits.map(\.job))
        for job in state.jobs where job.grant == nil {
            if changed.contains(job.job.id) == waiting.contains(job.job.id) { defects.append("no reason") }
        }
        return defects
    }

    @Test func stepsSinceTheLastCheckpointAreLostWithANode() throws {
        let point = SpeedPoint(placement: [8], plan: "p", secondsPerStep: 1)
        let job = TrainingJob(
            id: 0, name: "j", submitted: point, curve: SpeedCurve([point]), submittedAt: 0, steps: 3000)
        var settings = TrainingSimulation.Settings(restart: 100)
        settings.checkpointSeconds = 1000
        settings.losses = [.init(at: 1600, node: 0)]
        var simulation = TrainingSimulation(
            jobs: [job], nodes: (0..<2).map { _ in TrainingNode(gpus: 8, threads: 8, memoryMiB: 1 << 20) },
            policy: RubickPolicy(), settings: settings)
        var timings: DecisionTimings?
        let run = simulation.finish(clock: clock, timings: &timings)
        // It ran from 100 on and wrote its state at 1100; the new start lasts until the next round and 100 s.
        let end = try #require(run.outcomes.first).endedAt
        #expect(end >= 1600 + 100 + 2000 && end <= 1600 + 60 + 100 + 2000)
        #expect(run.outcomes.first?.restarts == 1)
    }

    @Test func aJobThatNeverFitsIsCountedAndEndsNothing() throws {
        var random = SplitMix64(seed: 3)
        let workload = try workload(12, &random)
        let results = try TrainingExperiment(options: options([.rubick, .easy, .gavel], nodes: 1))
            .run(workload, try speeds(), clock: clock)
        #expect(results.allSatisfy { $0.unfinished + $0.run.outcomes.count == 12 })
    }

    @Test func aDrawingHasALinePerJob() throws {
        var random = SplitMix64(seed: 5)
        let results = try TrainingExperiment(options: options([.rubick])).run(
            try workload(9, &random), try speeds(), clock: clock)
        let text = TrainingDrawing(try #require(results.first), gpus: 24).text
        #expect(text.hasPrefix("<svg") && text.hasSuffix("</svg>\n"))
        #expect(text.components(separatedBy: "#bbbbbb").count == 10)
        let curve = try speeds().curve("large")
        #expect(SpeedCurveDrawing("a<b", curve).text.contains("a&lt;b: steps per second"))
    }

    @Test(
        arguments: [
            ("model,exec_plan,placement\n", TraceError.Code.missingColumn, "iter_time_s"),
            ("model,exec_plan,placement,iter_time_s\nm,ga,4x,1\n", .badValue, "placement"),
            ("model,exec_plan,placement,iter_time_s\nm,ga,40,1\n", .badValue, "placement"),
            ("model,exec_plan,placement,iter_time_s\nm,ga,4,-1\n", .badValue, "iter_time_s"),
            ("model,exec_plan,placement,iter_time_s\nm,ga,4,nan\n", .badValue, "iter_time_s"),
            ("model,exec_plan,placement,iter_time_s\nm,ga\n", .missingField, "placement"),
            ("model,exec_plan,placement,iter_time_s\nm,ga,4,0\n", .empty, nil),
            ("", .missingHeader, nil),
        ] as [(String, TraceError.Code, String?)])
    func damagedMeasurementsAreRefused(text: String, code: TraceError.Code, column: String?) {
        #expect {
            try MeasuredSpeedReader().read([(nil, source(text))])
        } throws: { error in
            let error = error as? TraceError
            return error?.code == code && (column == nil || error?.column == column)
        }
    }

    @Test(arguments: [
        ("j,0,1,small,0,8,ga,5,0", "num_gpus"), ("j,-1,1,small,1,8,ga,5,0", "submission_time"),
        ("j,0,1,small,1,8,ga,0,0", "steps"), ("j,0,1,small,1,8,ga,5,2", "is_sla"),
        ("j,0,1,none,1,8,ga,5,0", "application"), ("j,0,1,small,1,8,zero-dp,5,0", "exec_plan"),
        (",0,1,small,1,8,ga,5,0", "name"),
    ])
    func damagedJobsAreRefused(row: String, column: String) throws {
        let header = "name,submission_time,duration,application,num_gpus,num_cpus,exec_plan,steps,is_sla"
        #expect {
            let workload = try TrainingWorkloadReader().read(source("\(header)\n\(row)\n"))
            _ = try TrainingExperiment(options: options([.rubick])).run(workload, try speeds(), clock: clock)
        } throws: { ($0 as? TraceError)?.column == column }
    }

    @Test(arguments: ["rubik", "", "fifo-backfil", "rubick,,easy"])
    func unknownPoliciesAreRefused(text: String) {
        #expect(throws: OptionError.self) { try TrainingPolicyName.policies(parsing: text) }
    }
}

/// The trace that published schedulers were compared on: the folder named by `BASALT_TRAINING`, or
/// `shared/data/training` beside the package.
enum TrainingData {
    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["BASALT_TRAINING"]
        let beside = PackageRoot.url.deletingLastPathComponent().appending(path: "shared/data/training").path
        return [named, beside].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }()
}

@Suite(.enabled(if: TrainingData.folder != nil, "no measurements: set BASALT_TRAINING to their folder"))
struct TrainingTraceTests {
    private func run(_ change: (inout TrainingExperiment.Options) -> Void) throws -> [TrainingResult] {
        let folder = try #require(TrainingData.folder) + "/rubick"
        var options = TrainingExperiment.Options(policies: [.rubick])
        change(&options)
        return try TrainingExperiment(options: options).run(
            try TrainingWorkloadReader().read(.file(path: folder + "/workloads/workload-base.csv")),
            try MeasuredSpeedReader().read(path: folder + "/measured_iter_time_all.csv"),
            clock: SteppingClock(step: .milliseconds(1)))
    }

    /// Reference: 3,245 s and 60,363 s; the aim beyond it 2,600 s within 61,000 s.
    @Test func theTraceEndsSoonerThanTheReference() throws {
        let result = try #require(try run { _ in }.first)
        #expect(result.unfinished == 0 && result.guaranteeViolations == 0)
        #expect(result.meanJct <= 2600 && result.makespan <= 60_363, "\(result.meanJct) \(result.makespan)")
    }

    @Test func allGuaranteedIsKept() throws {
        let result = try #require(try run { $0.guaranteedShare = 1 }.first)
        #expect(result.unfinished == 0 && result.guaranteeViolations == 0)
        #expect(result.run.outcomes.allSatisfy(\.isGuaranteed) && result.meanJctBestEffort == nil)
    }

    @Test(arguments: [UInt64(0), 1, 2]) func guaranteedJobsEndSoonerThanOthers(seed: UInt64) throws {
        let result = try #require(
            try run {
                $0.guaranteedShare = 0.48
                $0.seed = seed
            }.first)
        let guaranteed = try #require(result.meanJctGuaranteed)
        let others = try #require(result.meanJctBestEffort)
        #expect(result.guaranteeViolations == 0 && guaranteed < others, "\(guaranteed) \(others)")
    }

    /// Queues without elasticity by durations: 3,204 s and 62,721 s where no start costs anything.
    @Test func queuesAgreeWithAnotherSimulator() throws {
        let result = try #require(
            try run {
                $0.policies = [.fifoBackfill]
                $0.restartSeconds = 0
                $0.work = .duration
            }.first)
        #expect(abs(result.meanJct - 3204) < 0.05 * 3204, "\(result.meanJct)")
        #expect(abs(result.makespan - 62_721) < 0.05 * 62_721, "\(result.makespan)")
    }
}
