internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay

struct SimulateRatesCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "rates",
        abstract: "Decides hour by hour how many vCPUs a core backs, and counts the hours that were too hot.")

    @OptionGroup var usageOptions: UsageOptions
    @Option(help: "Scopes that the VMs are dealt out to.") var groups = 19
    @Option(help: "Policies to compare, separated by commas.")
    var policies = """
        oracle,static:0.5,static:0.4,static:0.3,grid:p99,scope:p99,same-hour:1d,same-hour:7d,recent:24h,recent:7d
        """
    @Option(help: "Seed of the order in which VMs are dealt out.") var seed: UInt64 = 42
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let options = RateExperiment.Options(
                scopes: groups, policies: try RatePolicyName.policies(parsing: policies), seed: seed)
            let results = try RateExperiment(options: options).run(try usageOptions.read())
            output.show(try Self.presentation(of: results), surroundings)
        }
        return .done
    }

    /// One row, or one object of an array, per policy.
    static func presentation(of results: [RateResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("RISK", .always, .right), .init("SEVERITY", .always, .right),
                .init("BENEFIT", .always, .right),
            ],
            results.map { result in
                [result.risk, result.severity, result.benefit].reduce(into: [Text(result.policy)]) {
                    $0.append(Text(String(format: "%.4f", $1)))
                }
            })
        return Presentation(
            [.table(table)], names: results.map(\.policy), value: try Serialization.tree(results))
    }
}
