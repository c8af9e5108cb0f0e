import Fleet
import Foundation
import LifetimeTraining
import Replay
import VMPlacement

/// Training time and the time of one prediction of boosted trees.
///
/// Options: `--trace FILE`, `--features A,B`, `--until S` (training sees the trace until then; all of it when
/// 0), `--rounds N` (at least 5), `--predictions N` per round, `--seed S`.
struct ModelBenchmark<C: Clock<Duration>> {
    let options: BenchmarkOptions
    let clock: C

    func run() async throws {
        let rounds = try options.number("rounds", default: 7, atLeast: 5)
        let count = try options.number("predictions", default: 200_000, atLeast: 1000)
        let until = try options.number("until", default: 0, atLeast: 1)
        let path = options.text("trace", default: "Benchmarks/traces/azure-v1-sample.csv")
        let names = options.text("features", default: "").split(separator: ",").map(String.init)
        let trace = try VMTraceReader(columns: names + ["project", VMTrace.censoredColumn])
            .read(TraceSource(argument: path)).addingHistory(names)
        let vms = trace.vms.indices.map {
            TrainingVM(trace.observation($0), startedAt: Double(trace.vms[$0].arrival) / 1e6)
        }
        let end = until > 0 ? Double(until) : vms.reduce(0) { max($0, $1.startedAt + $1.observation.seconds) }
        let settings = TrainingSettings(
            features: names, seed: UInt64(try options.number("seed", default: 0, atLeast: 0)))
        print("calibration_ms \(Calibration.milliseconds(clock))  rounds \(rounds)  trace \(path)")
        var trained: LifetimeModelFile?
        var times: [Double] = []
        for _ in 0..<rounds {
            let taken = try await clock.measure {
                trained = try await LifetimeTrainer(settings: settings).train(vms, until: end)
            }
            times.append(Spread.milliseconds(taken))
        }
        guard let trained else { return }
        print(
            "training, \(trained.training.vms) VMs, \(trained.training.examples) examples,",
            "\(trained.metrics.trees) trees, n \(rounds): \(Spread(times).text()) ms")
        let model = try trained.model
        try predict(model, vms, rounds: rounds, count: count)
        print("calibration_ms \(Calibration.milliseconds(clock))")
    }

    /// Median over blocks of sixteen, so that reading the clock does not count, and the rate over all.
    private func predict(
        _ model: BoostedLifetimeModel, _ vms: [TrainingVM], rounds: Int, count: Int
    ) throws {
        let block = 16
        var medians: [Double] = []
        var p99s: [Double] = []
        var sum = 0.0
        for round in 0..<rounds {
            var random = SplitMix64(seed: UInt64(round))
            var times: [Double] = []
            for _ in 0..<count / block {
                let asked = (0..<block).map { _ in
                    (
                        vms[Int(random.next() % UInt64(vms.count))].observation.features,
                        Double(random.next() % 600_000)
                    )
                }
                let start = clock.now
                for (features, uptime) in asked {
                    sum += model.expectedRemaining(uptime: uptime, of: features)
                }
                times.append(start.duration(to: clock.now) / .microseconds(1) / Double(block))
            }
            let spread = Spread(times)
            medians.append(spread.median)
            p99s.append(spread.percentile(0.99))
        }
        // The sum is looked at, so that no prediction is left out.
        guard sum > 0 else { throw BenchmarkError("nothing was predicted") }
        print(
            "prediction, \(model.trees.count) trees, n \(rounds) x \(count):",
            "median \(Spread(medians).text(digits: 3)) us, p99 \(Spread(p99s).text(digits: 3)) us")
    }
}
