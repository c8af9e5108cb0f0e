internal import ArgumentParser
internal import Replay
internal import VMPlacement

/// What predicts lifetimes, and how placement uses it, for commands that simulate.
struct LifetimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            oracle:SIGMA, km[:FILE], age[:FILE] or lognormal[:FILE], whose files have vcpu, mem_gb, lifetime_s and \
            censored, or gbdt:FILE of basalt model train.
            """
        ))
    var predictor: String?
    @Option(help: "Longest prediction, such as 7d or 12h, or none.") var cap = "7d"
    @Option(help: "Share of a host in use at which it counts as nearly full.") var theta = 0.9
    @Option(help: "A host's deadline, as a multiple of the longest lifetime of its class.")
    var classSlack = 1.1

    /// - Throws: `OptionError`.
    var prediction: LifetimePrediction? {
        get throws { try predictor.map { try LifetimePrediction(parsing: $0) } }
    }

    /// - Throws: `OptionError`.
    var settings: LifetimeSettings {
        get throws {
            LifetimeSettings(
                cap: try LifetimeCap(parsing: cap).duration,
                nearlyFullPerMille: try perMille("theta", theta, limit: 1),
                slackPerMille: try perMille("class-slack", classSlack, limit: 100))
        }
    }

    private func perMille(_ field: String, _ value: Double, limit: Double) throws -> Int {
        guard value >= 0.001, value <= limit else {
            throw OptionError(
                field: field, value: "\(value)", expected: "0.001 to \(limit)",
                nearest: "\(value.isNaN ? limit : min(max(value, 0.001), limit))")
        }
        return Int((value * 1000).rounded())
    }
}
