import Fleet
import VMPlacement

/// One fleet that decisions are measured on.
struct Scenario {
    var hosts: Int
    var policy: PlacementPolicy
    /// Every VM selects a label that nine of ten hosts carry and keeps apart from about ninety others.
    var isConstrained = false
    /// Decisions of one round.
    var decisions: Int

    static let all = [
        Scenario(hosts: 300, policy: .bestFit, decisions: 100_000),
        Scenario(hosts: 300, policy: .firstFit, decisions: 100_000),
        Scenario(hosts: 10_000, policy: .bestFit, decisions: 20_000),
        Scenario(hosts: 10_000, policy: .firstFit, decisions: 20_000),
        Scenario(hosts: 10_000, policy: .bestFit, isConstrained: true, decisions: 5_000),
        Scenario(hosts: 300, policy: .nilas, decisions: 100_000),
        Scenario(hosts: 300, policy: .lava, decisions: 100_000),
        Scenario(hosts: 300, policy: .tightLava, decisions: 100_000),
        Scenario(hosts: 10_000, policy: .nilas, decisions: 20_000),
        Scenario(hosts: 10_000, policy: .lava, decisions: 20_000),
        Scenario(hosts: 10_000, policy: .tightLava, decisions: 20_000),
    ]

    var name: String { "\(hosts) hosts, \(policy.rawValue)\(isConstrained ? ", label and group" : "")" }
}
