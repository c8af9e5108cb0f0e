import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// The loop from what VMs use to what hosts sell, closed: on a fleet clock on which a day lasts seconds,
    /// and with recorded use where that is there.
    @Suite struct RiskTests {
        /// A day in 2.9 s: the two weeks that a ratio is learnt from pass in 40 s.
        private static let rate = "30000"
        /// An hour in a second: a budget that is burnt stays so for longer than a test takes.
        private static let slowRate = "3600"
        private static let hosts = 20
        private static let pool = RateScope(.pool, "vms")
        @discardableResult
        private static func run(_ arguments: [String], _ basalt: Deployment) async throws -> String {
            let answer = try await basalt.basalt(["oversub"] + arguments)
            try #require(answer.status == 0, "\(arguments): \(answer.output)")
            return answer.output
        }

        private static func manage(_ basalt: Deployment) async throws {
            let rules = OversubscriptionRules(mode: .managed, ratioMaxPerMille: 1500)
            let spec = PolicySpec(type: .oversubscription, oversubscription: rules)
            _ = try await basalt.client().create(
                WireDraft(
                    kind: Kind.policy.rawValue, metadata: .init(name: "careful"), spec: try .encoding(spec)),
                in: Collection(.policy))
            try await run(["policy", pool.description, "--set", "careful"], basalt)
        }

        private static func ratios(_ basalt: Deployment) async throws -> Set<Int> {
            let client = try basalt.client()
            var found: Set<Int> = []
            for host in try await names(basalt) {
                found.insert(try await client.rate(of: RateScope(.host, host)).effective.ratioPerMille)
            }
            return found
        }

        /// Makes the spot VMs of one host want all that they were sold, until its guard has relieved it.
        private static func disturb(
            _ crowded: String, noise: URL, _ basalt: Deployment
        ) async throws {
            try Data("\(crowded) 64\n".utf8).write(to: noise)
            let start = ContinuousClock.now
            try await eventually("the guard sees the noise", within: .seconds(30)) {
                try await basalt.events(.hostHot).contains { $0.name == crowded }
            }
            let seen = ContinuousClock.now - start
            try await eventually("spot VMs are held back") {
                try await basalt.events(.hostHot).contains { $0.message.hasPrefix("holds ") }
            }
            try await eventually("the host is relieved") {
                try await basalt.events(.hostCalm).contains { $0.name == crowded }
            }
            let relieved = ContinuousClock.now - start
            basalt.note("noise seen by the guard", seen)
            basalt.note("noise relieved", relieved)
            try FileManager.default.removeItem(at: noise)
        }

        private static func names(_ basalt: Deployment) async throws -> [String] {
            try await basalt.client().listAll(Collection(.host)).items.map(\.metadata.name).sorted()
        }

        @Test func aRatioRisesOnAFewHostsAndThenOnAllAndABurstTakesItBack() async throws {
            // Leases long enough for a machine that is busy with other things.
            try await Deployment.run(.init(host: 60, cell: 4)) { basalt in
                let clock = ["--fleet-rate", Self.rate, "--usage-interval-seconds", "0.5"]
                let controller = try await basalt.startController("a", clock)
                try await basalt.makeFleet()
                try await Self.manage(basalt)
                let trace = try RecordedUse.file(in: basalt.directory)
                let agent = try await basalt.startAgent(
                    "sim", hosts: Self.hosts,
                    [
                        "--shape", "8x64", "--usage-trace", trace, "--usage-speed", Self.rate,
                        "--guard-hold-seconds", "2",
                    ])
                try await basalt.hostsReady(Self.hosts)
                let spot = { Deployment.spec(milliCPU: $0) { $0.class = .spot } }
                try await basalt.createVMs("web", count: 2 * Self.hosts, spot(4000))
                try await basalt.allRun(2 * Self.hosts)

                // A person is asked once there are two weeks, and then a host goes first.
                let card: ScopeDecision = try await eventually("two weeks are known") {
                    try await basalt.client().rateReviews().first
                }
                try #require(card.priorRatioPerMille == 1000 && card.ratioPerMille == 1250, "\(card)")
                try #require(try await Self.ratios(basalt) == [1000])
                try await Self.run(["review", "approve", "pool/vms", "--reason", "looked"], basalt)
                try await eventually("all hosts go by the ratio") {
                    let risen = try await basalt.client().rate(of: Self.pool).effective.ratioPerMille
                    return risen == 1250
                }
                try #require(try await Self.ratios(basalt) == [1250])
                let raised = try await basalt.events(.ratioRaised).map(\.message)
                try #require(raised.first?.contains("on 1 of 20 hosts") == true, "\(raised)")
                try #require(raised.count == 2 && raised[1].contains("after a day on sim-"), "\(raised)")
                // What VMs are predicted to use leaves room for more of them.
                try await basalt.createVMs("more", count: 4, spot(2000))
                try await basalt.allRun(2 * Self.hosts + 4)
                let calm = try await basalt.client().risk(of: Self.pool)
                try #require(calm.state == .open && calm.days.count >= 14, "\(calm)")
                try #require(calm.days.allSatisfy { $0.hotBins == 0 }, "\(calm)")

                // A noisy neighbour on one host, and then on every host that was sold more than it has.
                let noise = agent.state.appending(path: "substrate/noise")
                let crowded = try #require(try await basalt.status("more-0").host)
                try await Self.disturb(crowded, noise: noise, basalt)
                let full = try await basalt.statuses().filter { $0.key.hasPrefix("more") }.values
                let lines = full.compactMap(\.host).map { "\($0) 64\n" }.joined()
                try Data(lines.utf8).write(to: noise)
                try await eventually("the ratio is taken back") {
                    try await basalt.client().rate(of: Self.pool).effective.ratioPerMille == 1000
                }
                try #require(try await Self.ratios(basalt) == [1000])
                let why = try await basalt.events(.ratioRolledBack).map(\.message)
                try #require(why.first?.hasPrefix("1250/1000 to 1000/1000: ") == true, "\(why)")
                try FileManager.default.removeItem(at: noise)
                try await Self.run(["cap", "pool/vms", "--ratio", "1.1", "--reason", "incident"], basalt)
                let burnt = try await basalt.client().risk(of: Self.pool)
                try #require(burnt.state == .rollback && burnt.burned > 1, "\(burnt)")

                // All of it outlives the controller.
                try await controller.program.end()
                try await basalt.startController(
                    "a", ["--fleet-rate", Self.slowRate, "--usage-interval-seconds", "0.5"])
                let after = try await basalt.client().risk(of: Self.pool)
                try #require(after.state == .rollback && after.burned > 1, "\(after)")
                try #require(Set(after.days.map(\.day)).isSuperset(of: burnt.days.suffix(10).map(\.day)))
                let kept = try await basalt.client().rate(of: Self.pool)
                try #require(kept.effective.ratioPerMille == 1000, "\(kept)")
                try #require(kept.sources.first?.constraints.map(\.ratioPerMille) == [1100], "\(kept)")
                let rolledBack = try await basalt.client().rateDecisions(
                    scope: Self.pool, state: .rolledBack, limit: 10)
                try #require(rolledBack.contains { $0.ratioPerMille == 1250 }, "\(rolledBack)")
                // The next controller knows that the budget is burnt: it would raise the ratio again.
                try await eventually("the frozen ratio is held") {
                    try await !basalt.events(.ratioHeld).isEmpty
                }
                try #require(try await basalt.events(.ratioRaised).count == 2)
                let shown = try await Self.run(["risk", "pool/vms"], basalt)
                try #require(shown.contains("rollback"), "\(shown)")
                try await basalt.verify(live: 2 * Self.hosts + 4, starts: 2 * Self.hosts + 4)
            }
        }
    }
}
