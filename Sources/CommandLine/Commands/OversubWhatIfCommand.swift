internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct OversubWhatIfCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "what-if",
        abstract: "Shows what a policy would have made of the last days of a scope.",
        discussion:
            "Nothing is changed. Without --policy, --risk and --ratio-max the policy in force is tried.")

    @Argument(help: "cell/NAME, pool/NAME or host/NAME.") var scope: String
    @Option(help: "Policy of type oversubscription.") var policy: String?
    @Option(help: "Share of the hours that may be hot, such as 0.01, in place of a policy.") var risk: Double?
    @Option(help: "Greatest ratio, such as 3, in place of a policy.") var ratioMax: String?
    @Option(help: "Days to look back on, 2 to 56.") var days = 28
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let scope = try OversubGroup.scope(scope)
        guard policy == nil || (risk == nil && ratioMax == nil) else {
            throw CommandFailure("give --policy, or --risk and --ratio-max, not both")
        }
        var rules: OversubscriptionRules?
        if risk != nil || ratioMax != nil {
            rules = OversubscriptionRules(
                mode: .managed, ratioMaxPerMille: try ratioMax.map(OversubGroup.ratio), riskTarget: risk)
        }
        let request = WhatIfRequest(policy: policy, rules: rules, days: days)
        let found = try await connection.connected(surroundings) { client, _ in
            try await client.whatIf(scope, request)
        }
        output.show(try RateTables(now: surroundings.now()).whatIf(found), surroundings)
        return .done
    }
}
