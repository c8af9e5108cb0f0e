import Fleet
import Foundation
import Replay
import TrainingScheduling

/// Time of one round of the training scheduler on a large cell with a long queue.
///
/// Options: `--jobs N` that wait, `--inventory FILE` of `cpu_milli, memory_mib, gpu` per host (hosts of eight
/// GPUs when absent), `--nodes N` of it, `--rounds N` (at least 5), `--trace FILE`
/// and `--steps FILE` of the jobs, which are repeated, `--seed S`.
struct TrainingRoundBenchmark<C: Clock<Duration>> {
    let options: BenchmarkOptions
    let clock: C

    func run() throws {
        let rounds = try options.number("rounds", default: 7, atLeast: 5)
        let count = try options.number("jobs", default: 10_000, atLeast: 1)
        let limit = try options.number("nodes", default: 1523, atLeast: 1)
        let nodes = try nodes(limit)
        var random = SplitMix64(seed: UInt64(try options.number("seed", default: 0, atLeast: 0)))
        let jobs = try jobs(count, &random)
        let gpus = nodes.reduce(0) { $0 + $1.gpus }
        print("calibration_ms \(Calibration.milliseconds(clock))")
        print("\(jobs.count) jobs on \(nodes.count) hosts of \(gpus) GPUs, n \(rounds)")
        let policy = RubickPolicy()
        let empty = RoundState(
            now: 1_000_000, room: FreeRoom(nodes), jobs: jobs.map(JobState.init), tenants: [])
        let first = try measure("all hosts free", empty, policy, rounds)
        try measure("full, all waiting", after(first, empty, random: &random), policy, rounds)
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    @discardableResult
    private func measure(
        _ name: String, _ state: RoundState, _ policy: some TrainingPolicy, _ rounds: Int
    ) throws -> RoundDecision {
        var times: [Double] = []
        var decision = RoundDecision()
        for _ in 0..<rounds {
            let taken = clock.measure { decision = policy.round(state) }
            times.append(Spread.milliseconds(taken))
        }
        let spread = Spread(times)
        print(
            "round, \(name): median \(spread.text(digits: 1)) ms, \(decision.changes.count) changes,",
            "\(decision.waits.count) wait")
        return decision
    }

    /// The cell once what was decided runs, with as many new jobs as were started.
    private func after(
        _ decision: RoundDecision, _ state: RoundState, random: inout SplitMix64
    ) throws -> RoundState {
        var next = state
        next.now += 3600
        var places: [Int: Int] = [:]
        for (place, job) in next.jobs.enumerated() { places[job.job.id] = place }
        for change in decision.changes {
            guard let place = places[change.job], let grant = change.to else { continue }
            next.room.take(grant)
            next.jobs[place].grant = grant
            next.jobs[place].phase = .running
            next.jobs[place].heldSeconds = 3600
            next.jobs[place].firstStart = state.now
        }
        next.jobs += try jobs(decision.changes.count, &random, from: state.jobs.count).map(JobState.init)
        return next
    }

    private func nodes(_ limit: Int) throws -> [TrainingNode] {
        let path = options.text("inventory", default: "")
        guard !path.isEmpty else {
            return (0..<limit).map {
                TrainingNode(gpus: 8, threads: 96, memoryMiB: 1600 * 1024, rack: $0 / 32)
            }
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        guard let header = lines.first,
            let cpu = header.firstIndex(of: "cpu_milli"), let memory = header.firstIndex(of: "memory_mib"),
            let gpu = header.firstIndex(of: "gpu")
        else { throw BenchmarkError("\(path) has no columns cpu_milli, memory_mib and gpu") }
        return lines.dropFirst().prefix(limit).enumerated().compactMap { place, line in
            guard let cpu = Int(line[cpu]), let memory = Int(line[memory]), let gpus = Int(line[gpu]) else {
                return nil
            }
            return TrainingNode(gpus: gpus, threads: cpu / 1000, memoryMiB: memory, rack: place / 32)
        }
    }

    /// Jobs of the trace over and over, each with other steps.
    private func jobs(
        _ count: Int, _ random: inout SplitMix64, from first: Int = 0
    ) throws -> [TrainingJob] {
        let trace = options.text("trace", default: "Benchmarks/traces/training-jobs.csv")
        let steps = options.text("steps", default: "Benchmarks/traces/training-steps.csv")
        let speeds = try MeasuredSpeedReader().read(path: steps)
        let workload = try TrainingWorkloadReader().read(TraceSource(argument: trace))
        let curves = Dictionary(uniqueKeysWithValues: speeds.models.map { ($0, speeds.curve($0)) })
        return try (0..<count).map { place in
            let job = workload.jobs[place % workload.jobs.count]
            guard let curve = curves[job.model], let submitted = curve.best(gpus: job.gpus) else {
                throw BenchmarkError("\(job.name) has no measured step")
            }
            let scale = 0.5 + Double(random.next() % 1000) / 1000
            return TrainingJob(
                id: first + place, name: "\(job.name)-\(place)",
                isGuaranteed: random.next() % 4 == 0, submitted: submitted, curve: curve,
                submittedAt: Double(place), steps: max(1, job.steps * scale))
        }
    }
}
