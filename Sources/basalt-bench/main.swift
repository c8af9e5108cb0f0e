import Foundation

/// `basalt-bench NAME [options]`: measurements of one machine, each beside a calibration of the same run.
let arguments = Array(CommandLine.arguments.dropFirst())
do {
    guard let name = arguments.first else {
        throw BenchmarkError(
            "name a benchmark: placement, replay, model, store, session, pipeline, policy-change, usage, "
                + "training-round, rest, router, serving-loss or faults"
        )
    }
    let options = try BenchmarkOptions(arguments.dropFirst())
    switch name {
    case "placement": try PlacementBenchmark(options: options, clock: ContinuousClock()).run()
    case "replay": try ReplayBenchmark(options: options, clock: ContinuousClock()).run()
    case "model": try await ModelBenchmark(options: options, clock: ContinuousClock()).run()
    case "store": try await StoreBenchmark(options: options, clock: ContinuousClock()).run()
    case "session": try await SessionBenchmark(options: options, clock: ContinuousClock()).run()
    case "pipeline": try await PipelineBenchmark(options: options, clock: ContinuousClock()).run()
    case "policy-change": try await PolicyChangeBenchmark(options: options).run()
    case "usage": try await UsageBenchmark(options: options, clock: ContinuousClock()).run()
    case "training-round": try TrainingRoundBenchmark(options: options, clock: ContinuousClock()).run()
    case "rest": try await RESTBenchmark(options: options).run()
    case "faults": try await FaultBenchmark(options: options).run()
    case "router": try await RouterBenchmark(options: options).run()
    case "serving-loss": try await ServingLossBenchmark(options: options).run()
    default:
        throw BenchmarkError(
            "\"\(name)\" is no benchmark; there are placement, replay, model, store, session, pipeline, "
                + "policy-change, usage, training-round, rest, router, serving-loss and faults"
        )
    }
} catch {
    StandardError.write("basalt-bench: \(error)")
    exit(1)
}
