import APITypes
import Client
import FaultInjection
import FaultLab
import FaultSeam
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Faults that operators inject through the product into real processes.
    @Suite struct FaultTests {
        /// An agent that can be hit, by its program's command line.
        private static func target(_ basalt: Deployment, _ agent: SimulatedAgent) throws -> TargetFile.Entry {
            let line = try #require(
                FileManager.default.contents(atPath: "/proc/\(agent.program.processID)/cmdline"))
            let command = line.dropLast().split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            return TargetFile.Entry(
                target: FaultTarget(.agent, agent.name), hosts: ["\(agent.name)-0"], labels: ["use": "test"],
                program: .init(command: command, log: agent.program.logFile.path))
        }

        @Test func anOperatorHangsAnAgentAndTakesItBack() async throws {
            try await Deployment.run { basalt in
                defer { basalt.endInjections() }
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agents = try await [
                    basalt.startAgent("x", hosts: 1), basalt.startAgent("y", hosts: 1),
                    basalt.startAgent("z", hosts: 1),
                ]
                try await basalt.hostsReady(3)
                var targets = try agents.map { try Self.target(basalt, $0) }
                targets[2].labels = [InjectorTarget.protectedLabel: "true"]
                let injector = try await basalt.startInjector("i", targets)

                let hang = ["fault", "run", "f", "--kind", "agentHang", "--target", "agent/x"]
                let trial = try await basalt.basalt(hang + ["--dry-run"])
                try #require(trial.status == 0 && trial.output.contains("agent/x"), "\(trial.output)")
                try #require(try await basalt.client().faults().isEmpty)
                let shielded = try await basalt.basalt([
                    "fault", "run", "g", "--kind", "agentHang", "--target", "agent/z",
                ])
                try #require(shielded.status == 5, "\(shielded.output)")

                let run = try await basalt.basalt(
                    hang + ["--lease", "120s", "--steady", "agentsReport"])
                try #require(run.status == 0, "\(run.output)")
                try await basalt.host("x-0", is: .suspect, within: patience)
                try #require(agents[0].program.state == "T")
                // One target at once, and that one is hit.
                let wide = try await basalt.basalt([
                    "fault", "run", "g", "--kind", "agentHang", "--target", "agent/y", "--blast-radius", "5",
                ])
                try #require(wide.status == 5 && wide.output.contains("f allows 1"), "\(wide.output)")
                let unsteady = try await basalt.basalt([
                    "fault", "run", "g", "--kind", "agentHang", "--target", "agent/y", "--steady",
                    "agentsReport",
                ])
                try #require(unsteady.status == 5, "\(unsteady.output)")

                let abort = try await basalt.basalt(["fault", "abort", "f", "--reason", "seen"])
                try #require(abort.status == 0, "\(abort.output)")
                try await basalt.hostsReady(3)
                try await eventually("it is over") {
                    try await basalt.client().fault("f").state == .recovered
                }
                let rows = try await basalt.client().audit().items.filter { $0.name == "f" }
                try #require(Set(rows.map(\.verb)) == ["create", "abort"])

                // A killed injector tells nothing; started again it takes back what it left.
                _ = try await basalt.client().injectFault(
                    FaultDraft(
                        name: "left",
                        spec: FaultSpec(
                            kind: .agentHang, selector: TargetSelector(names: [FaultTarget(.agent, "y")]),
                            leaseSeconds: 600)))
                try await eventually("y stands still") { agents[1].program.state == "T" }
                try await injector.end()
                try await basalt.startInjector("i", targets)
                try await eventually("y goes on") { agents[1].program.state != "T" }
                try await eventually("it is known to be over") {
                    try await basalt.client().fault("left").state == .recovered
                }
                let doctor = try await basalt.basalt(["fault", "doctor"])
                try #require(doctor.status == 0, "\(doctor.output)")
            }
        }

        /// Nobody's agent: a process that does nothing stands still, is out of disk and is told of faults as
        /// well as one that does.
        private struct Victim {
            let kind: FaultKind
            let entry: TargetFile.Entry
            let program: ChildProgram
            let fault: String
            private let seam: FaultSeam

            private static let kinds: [FaultKind] = [
                .agentHang, .agentHang, .diskFull, .heartbeatDrop, .clockOffset,
            ]

            init(_ index: Int, _ basalt: Deployment) throws {
                kind = Self.kinds[index % Self.kinds.count]
                fault = "f-\(index)"
                // Empty: out of disk, a process that wrote would be ended.
                let quiet = basalt.directory.appending(path: "quiet")
                if index == 0 { try Data().write(to: quiet) }
                let command = ["/usr/bin/tail", "-f", "-s", "\(1000 + index)", quiet.path]
                program = try ChildProgram(
                    "idle-\(index)", path: command[0], Array(command.dropFirst()), logs: basalt.directory)
                seam = try FaultSeam(basalt.directory.appending(path: "seam-\(index)").path)
                entry = .init(
                    target: FaultTarget(.agent, "t-\(index)"), program: .init(command: command),
                    seams: [seam.folder.path])
            }

            private static func limits(of program: ChildProgram) -> [Substring] {
                let data = FileManager.default.contents(atPath: "/proc/\(program.processID)/limits") ?? Data()
                return String(decoding: data, as: UTF8.self).split(separator: "\n")
            }

            var isHit: Bool {
                switch kind {
                case .agentHang: program.state == "T"
                case .diskFull:
                    Self.limits(of: program).contains { line in
                        line.hasPrefix("Max file size")
                            && line.split(separator: " ").dropFirst(3).first == "0"
                    }
                default: seam.fault(kind) != nil
                }
            }
        }

        @Test func theKillSwitchEndsFiftyFaultsAtOnce() async throws {
            try await Deployment.run { basalt in
                defer { basalt.endInjections() }
                try await basalt.startController("a")
                let count = 50
                var victims: [Victim] = []
                for index in 0..<count { victims.append(try Victim(index, basalt)) }
                try await basalt.startInjector("i", victims.map(\.entry))
                let client = try basalt.client()
                for victim in victims {
                    _ = try await client.injectFault(
                        FaultDraft(
                            name: victim.fault,
                            spec: FaultSpec(
                                kind: victim.kind, selector: TargetSelector(names: [victim.entry.target]),
                                leaseSeconds: 600, blastRadius: 100)))
                }
                try await eventually("all are in effect") {
                    try await client.faults().allSatisfy { $0.state == .active }
                }
                try await eventually("all are felt") { victims.allSatisfy(\.isHit) }
                let engaged = ContinuousClock.now
                let off = try await basalt.basalt(["fault", "kill-switch", "--reason", "outage"])
                try #require(off.status == 0, "\(off.output)")
                try await eventually("all go on") { victims.allSatisfy { !$0.isHit } }
                basalt.note("kill switch, 50 faults", ContinuousClock.now - engaged)
                try await eventually("all are known to be over") {
                    try await client.faultSwitch().inEffect == 0
                }
                let draft = FaultDraft(
                    name: "again",
                    spec: FaultSpec(
                        kind: .agentHang, selector: TargetSelector(names: [FaultTarget(.agent, "t-0")])))
                await #expect { try await client.injectFault(draft) } throws: {
                    ($0 as? ClientError)?.isProblem(.guardRefused) == true
                }
                let lifted = try await basalt.basalt(["fault", "kill-switch", "--lift"])
                try #require(lifted.status == 0, "\(lifted.output)")
                _ = try await client.injectFault(draft)
                for victim in victims { try await victim.program.end() }
            }
        }

        /// The whole smoke suite takes minutes for each agent, so it runs where it is asked for (`make live`).
        @Test(
            .enabled(
                if: ProcessInfo.processInfo.environment["BASALT_LIVE_SUITE"] != nil, "BASALT_LIVE_SUITE"),
            arguments: ["oracle", "dummy", "always-yes", "saboteur"])
        func scriptedAgentsScoreLiveAsTheyMust(_ agent: String) async throws {
            try await Deployment.run(database: false) { basalt in
                let run = try basalt.start(
                    "live", "basalt-world",
                    [
                        "problem", "run", "--suite", "smoke", "--agent", agent, "--seeds", "1", "--mode",
                        "live", "-o", "json",
                    ])
                let status = try await run.waitForExit(within: .seconds(3600))
                try #require(status == 0, "\(run.log)")
                let json = run.log[(run.log.firstIndex(of: "{") ?? run.log.startIndex)...]
                let result = try JSONDecoder().decode(SuiteResult.self, from: Data(json.utf8))
                let isOracle = agent == "oracle"
                #expect(result.totals.detect.value == (isOracle ? 1 : 0.5), "\(run.log)")
                #expect(result.totals.mitigate.value == (isOracle ? 1 : 0), "\(run.log)")
                #expect(result.sessions.count >= 16)
            }
        }

        /// Real Postgres, controllers, agents and faults; who knows the truth repairs all of it.
        @Test func theOracleSolvesLiveProblems() async throws {
            try await Deployment.run(database: false) { basalt in
                let run = try basalt.start(
                    "live", "basalt-world",
                    [
                        "problem", "run", "--problem", "AG-02,DB-07", "--agent", "oracle", "--seeds", "1",
                        "--mode", "live", "-o", "json",
                    ])
                let status = try await run.waitForExit(within: .seconds(400))
                try #require(status == 0, "\(run.log)")
                let json = run.log[(run.log.firstIndex(of: "{") ?? run.log.startIndex)...]
                let result = try JSONDecoder().decode(SuiteResult.self, from: Data(json.utf8))
                try #require(result.sessions.count == 4 && result.refused.isEmpty, "\(run.log)")
                let totals = result.totals
                for share in [totals.detect, totals.localize1, totals.analyze, totals.mitigate] {
                    #expect(share.value == 1, "\(run.log)")
                }
                #expect(totals.harm.value == 0)
            }
        }
    }
}
