internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Replay

struct SimulateOversubscriptionCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "oversubscription",
        abstract: "Packs VMs by what they used, and counts the hosts saved and those that became hot.")

    @OptionGroup var usageOptions: UsageOptions
    @Option(help: "Cores of every host.") var hostCores = 32.0
    @Option(help: "VMs with more cores are left out; half a host when absent.") var maxVmCores: Double?
    @Option(help: "Beginning of the trace that policies know, such as 16d.") var history = "16d"
    @Option(help: "Time after it that is counted, such as 14d.") var test = "14d"
    @Option(help: "Policies to compare, separated by commas.")
    var policies = "static:1,static:2,static:3,static:4,p95,p99,max,window:6x4h:p95,chance:0.001,n-sigma:5"
    @Option(help: "Orders in which the VMs come.") var shuffles = 20
    @Option(help: "Seed of the first order; the next has the next seed.") var seed: UInt64 = 1
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or svg.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]),
        transform: { try FigureFormat.parse($0, extra: .svg, named: "svg") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let experiment = try PackingExperiment(options: try options)
            let results = try experiment.run(try usageOptions.read())
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try Self.presentation(of: results), surroundings)
            case .svg, .csv:
                surroundings.console.write(FrontierPlot(results).svg)
            }
        }
        return .done
    }

    private var options: PackingExperiment.Options {
        get throws {
            PackingExperiment.Options(
                hostCores: hostCores, largestVM: maxVmCores, historySeconds: try Self.seconds(history),
                testSeconds: try Self.seconds(test),
                policies: try PackingPolicyName.policies(parsing: policies),
                shuffles: shuffles, seed: seed)
        }
    }

    private static func seconds(_ text: String) throws -> Int {
        Int(try DurationText.parse(text).components.seconds)
    }

    /// One row, or one object of an array, per policy; the table has means, with the spread of what counts.
    static func presentation(of results: [PackingResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("HOSTS", .always, .right), .init("RATIO", .roomy, .right),
                .init("SAVED", .always, .right), .init("HOT-RATE", .always, .right),
                .init("HOT-RATE-MAX", .always, .right), .init("HOT-RATE-SD", .wide, .right),
                .init("HOT-HOSTS", .always, .right),
                .init("OVER-90%", .roomy, .right), .init("UNMET", .always, .right),
            ],
            results.map { result in
                [
                    Text(result.policy), Text(String(format: "%.2f", result.hosts.mean)),
                    Text(String(format: "%.2f", result.ratio.mean)),
                    Text(Quantity.percent(result.savedPct.mean)),
                    Text(rate(result.hotHostSampleRate.mean)), Text(rate(result.hotHostSampleRate.max)),
                    Text(rate(result.hotHostSampleRate.sd)),
                    Text(String(format: "%.3f", result.hotHosts.mean)),
                    Text(rate(result.nearlyHotHostSampleRate.mean)),
                    Text(rate(result.unmetCoreFraction.mean)),
                ]
            })
        return Presentation(
            [.table(table)], names: results.map(\.policy), value: try Serialization.tree(results))
    }

    private static func rate(_ value: Double) -> String { value == 0 ? "0" : String(format: "%.2e", value) }
}
