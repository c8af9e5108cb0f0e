internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay

struct SimulatePowerCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "power",
        abstract: "Puts more servers on a row than its power allows for, and counts what holding back costs.",
        discussion: """
            The row's power is made up after published figures: its greatest sample and its greatest rise \
            within 40 s are as given.
            """)

    @Option(help: "Servers that the row's power was provisioned for.") var servers = 40
    @Option(help: "Servers added, in per cent, separated by commas.") var added = "0,10,20,30,40,50"
    @Option(help: "Share of the provisioned power at which low priority is slowed.") var t1 = 0.80
    @Option(help: "Share at which it is slowed more, and then high priority too.") var t2 = 0.89
    @Flag(help: "Takes both from the trace: T2 leaves room for the greatest rise within 40 s.")
    var deriveThresholds = false
    @Option(help: "Share of servers with low priority.") var lowShare = 0.5
    @Option(help: "Share of a server's power that its GPUs draw.") var gpuShare = 0.5
    @Option(help: "Days of the trace.") var days = 42
    @Option(help: "Greatest power of the row as provisioned.") var peak = 0.79
    @Option(help: "Greatest rise within 40 s.") var rise = 0.118
    @Option(help: "Seed of the trace.") var seed: UInt64 = 1
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or svg.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]),
        transform: { try FigureFormat.parse($0, extra: .svg, named: "svg") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let results = try PowerExperiment(options: try options).run()
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try Self.presentation(of: results), surroundings)
            case .svg, .csv:
                surroundings.console.write(PowerPlot(results).svg)
            }
        }
        return .done
    }

    private var options: PowerExperiment.Options {
        get throws {
            PowerExperiment.Options(
                servers: servers, added: try Self.shares(added),
                shape: .init(days: days, lowShare: lowShare, peak: peak, rise: rise, seed: seed),
                first: t1, second: t2, derivesThresholds: deriveThresholds, gpuShare: gpuShare)
        }
    }

    private static func shares(_ text: String) throws(OptionError) -> [Double] {
        var shares: [Double] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let share = Double(part.trimmingCharacters(in: .whitespaces)), share.isFinite else {
                throw OptionError(
                    field: "added", value: String(part), expected: "numbers separated by commas",
                    nearest: "0,10,20,30")
            }
            shares.append(share)
        }
        return shares
    }

    /// One row, or one object of an array, per share of added servers.
    static func presentation(of results: [PowerResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("SERVERS", .always, .right), .init("FREE-PEAK", .always, .right),
                .init("PEAK", .always, .right), .init("BRAKES", .always, .right),
                .init("BARE-BRAKES", .always, .right), .init("OVER", .wide, .right),
                .init("LOW-CAPPED", .roomy, .right), .init("LOW-LOSS", .always, .right),
                .init("HIGH-CAPPED", .roomy, .right), .init("HIGH-LOSS", .always, .right),
                .init("GAIN", .always, .right),
            ],
            results.map { result in
                [
                    Text(name(result)), Text(String(result.servers)), Text(percent(result.freePeakPct)),
                    Text(percent(result.peakPct), result.peakPct > 100 ? .warning : .plain),
                    Text(String(result.brakes), result.brakes > 0 ? .bad : .plain),
                    Text(String(result.bareBrakes)), Text("\(result.overSeconds)s"),
                    Text(percent(result.lowCappedPct)), Text(percent(result.lowLossPct)),
                    Text(percent(result.highCappedPct)), Text(percent(result.highLossPct)),
                    Text(percent(result.gainPct)),
                ]
            })
        return Presentation(
            [.table(table)], names: results.map(name), value: try Serialization.tree(results))
    }

    private static func name(_ result: PowerResult) -> String { String(format: "+%g%%", result.addedPct) }

    private static func percent(_ value: Double) -> String { String(format: "%.2f%%", value) }
}
