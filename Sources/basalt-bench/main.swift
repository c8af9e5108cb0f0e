import Foundation

/// `basalt-bench NAME [options]`: measurements of one machine, each beside a calibration of the same run.
let arguments = Array(CommandLine.arguments.dropFirst())
do {
    guard let name = arguments.first else { throw BenchmarkError("name a benchmark: placement or replay") }
    let options = try BenchmarkOptions(arguments.dropFirst())
    switch name {
    case "placement": try PlacementBenchmark(options: options, clock: ContinuousClock()).run()
    case "replay": try ReplayBenchmark(options: options, clock: ContinuousClock()).run()
    default: throw BenchmarkError("\"\(name)\" is no benchmark; the nearest are placement and replay")
    }
} catch {
    StandardError.write("basalt-bench: \(error)")
    exit(1)
}
