import Fleet
import Foundation
import Replay
import VMPlacement

/// Reads a trace and replays it under every policy, per shard and as the mean of the shards.
///
/// Options: `--trace FILE|-`, `--shards N` (the first N of eight; the whole trace when 0), `--hosts N`,
/// `--host VxG`, `--warm-up S`, `--until S`, `--policies A,B`, `--predictor P`, `--seed S`.
struct ReplayBenchmark<C: Clock<Duration>> {
    let options: BenchmarkOptions
    let clock: C

    func run() throws {
        let shards = try options.number("shards", default: 0, atLeast: 0)
        print("calibration_ms \(Calibration.milliseconds(clock))")
        let bytes = try bytes()
        let source = TraceSource.bytes(bytes, name: path)
        let reading = try clock.measure { _ = try VMTraceReader().read(source) }
        print("read \(bytes.count) bytes in \(Spread.milliseconds(reading)) ms")
        var results: [PolicyResult] = []
        for index in 0..<max(shards, 1) {
            let shard = shards == 0 ? nil : try Shard(index: index, count: 8)
            let found = try experiment(shard).run(reading: source, clock: clock)
            for result in found { print(line(result, shard.map { "\($0.index)/\($0.count)" } ?? "all")) }
            results += found
        }
        for policy in try policies { print(mean(results.filter { $0.policy == policy }, policy)) }
    }

    private var policies: [PlacementPolicy] {
        get throws {
            try PolicyName.policies(parsing: options.text("policies", default: "first-fit,best-fit"))
        }
    }

    private var path: String {
        options.text("trace", default: "Benchmarks/traces/azure-v1-sample.csv")
    }

    /// The whole text, as it is read once per shard.
    private func bytes() throws -> [UInt8] {
        let handle = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let handle else { throw BenchmarkError("--trace: \"\(path)\" cannot be read") }
        return try [UInt8](handle.readToEnd() ?? Data())
    }

    private func experiment(_ shard: Shard?) throws -> VMExperiment {
        let until = try options.number("until", default: 0, atLeast: 1)
        return try VMExperiment(
            options: .init(
                hosts: options.number("hosts", default: 300, atLeast: 1),
                shape: HostShape(parsing: options.text("host", default: "64x192")), policies: policies,
                shard: shard,
                warmUpSeconds: options.number("warm-up", default: 0, atLeast: 0),
                untilSeconds: until == 0 ? nil : until, measuresTime: true,
                prediction: LifetimePrediction(parsing: options.text("predictor", default: "oracle:0.5")),
                seed: UInt64(options.number("seed", default: 0, atLeast: 0))))
    }

    private func line(_ result: PolicyResult, _ shard: String) -> String {
        """
        shard \(shard) \(result.policy.rawValue): empty \(result.emptyHostsPct) %, \
        density \(result.densityPct) %, placed \(result.placed), failed \(result.failed), \
        \(Int(result.decisionsPerSecond ?? 0))/s, p99 \(result.decisionP99Us ?? 0) us
        """
    }

    private func mean(_ results: [PolicyResult], _ policy: PlacementPolicy) -> String {
        let count = Double(results.count)
        let empty = results.reduce(0) { $0 + $1.emptyHostsPct } / count
        let density = results.reduce(0) { $0 + $1.densityPct } / count
        return "mean \(policy.rawValue): empty \(empty) %, density \(density) %"
    }
}
