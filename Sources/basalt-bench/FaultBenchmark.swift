import Client
import FaultLab
import Fleet
import Foundation
import LiveLab
import ProgramShell

/// How long a fleet of real processes takes to see faults and to get over them, with the product's own terms:
/// an agent that crashes, a host that is cut off, the controller that plans killed, Postgres crashed.
///
/// Options: `--rounds N` (at least 1), `--host-lease S`, `--cell-lease S`.
struct FaultBenchmark {
    let options: BenchmarkOptions

    func run() async throws {
        let rounds = try options.number("rounds", default: 5, atLeast: 1)
        var live = LiveFleet.Options(
            programs: URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
                .deletingLastPathComponent().path)
        live.hostLease = Double(try options.number("host-lease", default: 30, atLeast: 1))
        live.cellLease = Double(try options.number("cell-lease", default: 6, atLeast: 1))
        live.residents = 0
        // No hop more between the parts of the product than an installation has.
        live.storeByProxy = false
        let seams = ClientSeams(
            sleep: SystemSeams.sleep, random: SystemSeams.random,
            ids: SystemSeams.ids)
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))  rounds \(rounds)")
        print("host lease \(live.hostLease) s, cell lease \(live.cellLease) s")
        print("fault | n | detected s | fenced s | over s: median (lowest to highest)")
        try await LiveFleet.run(live, seams: seams) { fleet in
            for kind in [FaultKind.agentCrash, .linkPartition] {
                var times: [LiveTimes] = []
                for run in 1...rounds { times.append(try await fleet.timesOfLosingHost(kind, run: run)) }
                report(kind.rawValue, times)
            }
            var times: [LiveTimes] = []
            for run in 1...rounds { times.append(try await fleet.timeOfLosingController(run: run)) }
            report("controllerCrash", times)
            times = []
            for run in 1...rounds { times.append(try await fleet.timeOfRestartingStore(run: run)) }
            report("storeRestart", times)
        }
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))")
    }

    private func report(_ name: String, _ times: [LiveTimes]) {
        func text(_ values: [Double]) -> String {
            let values = values.sorted()
            guard let low = values.first, let high = values.last else { return "-" }
            return String(format: "%.1f (%.1f to %.1f)", values[values.count / 2], low, high)
        }
        print(
            [
                name, "\(times.count)", text(times.compactMap(\.detected)), text(times.compactMap(\.fenced)),
                text(times.map(\.restarted)),
            ].joined(separator: " | "))
    }
}
