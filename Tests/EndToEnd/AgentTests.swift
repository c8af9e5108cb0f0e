import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Testing

extension EndToEndTests {
    /// Agents that die, come back, or claim what is not theirs.
    @Suite struct AgentTests {
        @Test func aKilledAgentAdoptsWhatRuns() async throws {
            try await Deployment.run(.init(host: 12, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)
                try await basalt.createVMs("keep", count: 6)
                try await basalt.createVMs("stop", count: 6, Deployment.spec { $0.onPartition = .stop })
                try await basalt.allRun(12)
                let before = try await basalt.liveAllocations().mapValues { $0.map(\.id) }

                try await agent.program.end()
                let token = basalt.directory.appending(path: "sim.join")
                try basalt.startAgent("sim", state: agent.state, hosts: 3, prefix: "sim", token: token)
                try await eventually("everything is adopted") {
                    try basalt.journal().count { $0.event == .adopt } == 12
                }
                // New work shows that the agent is in charge again.
                try await basalt.createVM("after")
                try await basalt.allRun(13)
                var after = try await basalt.liveAllocations().mapValues { $0.map(\.id) }
                after["after"] = nil
                try #require(before == after)
                try #require(try await basalt.statuses().values.allSatisfy { $0.restarts == 0 })
                try #require(try basalt.journal().allSatisfy { $0.event != .stop })
                try await basalt.verify(live: 13, starts: 13)
            }
        }

        @Test func aHostHasOneAgent() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let first = try await basalt.startAgent("one", hosts: 2, prefix: "sim")
                try await basalt.hostsReady(2)
                let session = try await basalt.host("sim-0").session

                let thief = try await basalt.startAgent("two", hosts: 2, prefix: "sim")
                try await eventually("the claim is refused") {
                    let events = try await basalt.events(.claimRefused)
                    return Set(events.map(\.name)) == ["sim-0", "sim-1"]
                }
                try #require(try await basalt.host("sim-0").session == session)
                try await thief.program.end()

                // A second process on the same directory would write the same journal.
                let token = basalt.directory.appending(path: "one.join")
                let second = try basalt.startAgent(
                    "second", state: first.state, hosts: 2, prefix: "sim", token: token)
                try #require(try await second.program.waitForExit() != 0)
                try #require(first.program.exitStatus == nil)

                // The same credential elsewhere: the last hello is in charge.
                let copy = basalt.directory.appending(path: "agent-copy")
                try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    at: first.state.appending(path: "credential.json"),
                    to: copy.appending(path: "credential.json"))
                try basalt.startAgent("copy", state: copy, hosts: 2, prefix: "sim", token: token)
                // It says so and fails, so that whoever supervises it knows.
                try #require(try await first.program.waitForExit() != 0)
                try #require(first.program.log.contains("superseded"))
                try await basalt.createVM("web")
                try await basalt.vm("web", is: .running)
                try await basalt.verify(live: 1, starts: 1)
            }
        }

        @Test func whatWasOnALostHostRunsElsewhereOnce() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let lost = try await basalt.startAgent("lost", hosts: 2)
                try await basalt.hostsReady(2)
                try await basalt.createVMs("stop", count: 4, Deployment.spec { $0.onPartition = .stop })
                try await basalt.createVMs("keep", count: 3)
                try await basalt.allRun(7)
                try await basalt.startAgent("safe", hosts: 2)
                try await basalt.hostsReady(4)

                let (killed, killedAt) = (
                    ContinuousClock.now, Timestamp(seconds: Date().timeIntervalSince1970)
                )
                try await lost.program.end()
                try await basalt.host("lost-0", is: .suspect)
                basalt.note("detection of a lost host", ContinuousClock.now - killed)
                try await basalt.host("lost-0", is: .fenced)
                basalt.note("fencing of a lost host", ContinuousClock.now - killed)
                try await eventually("the stop VMs run elsewhere") {
                    let found = try await basalt.statuses().filter { $0.key.hasPrefix("stop-") }.values
                    return found.allSatisfy { $0.state == .running && $0.host?.hasPrefix("safe-") == true }
                }
                basalt.note("restart of stop workloads", ContinuousClock.now - killed)
                try await holds("the keep VMs stay", for: .seconds(2)) {
                    let found = try await basalt.statuses().filter { $0.key.hasPrefix("keep-") }.values
                    return found.allSatisfy { $0.state == .unknown && $0.host?.hasPrefix("lost-") == true }
                }

                for host in ["lost-0", "lost-1"] {
                    let refused = try await basalt.basalt(["host", "fence", host, "--reason", "burnt"])
                    try #require(refused.status == 5)
                    let done = try await basalt.basalt([
                        "host", "fence", host, "--reason", "burnt", "--confirm",
                    ])
                    try #require(done.status == 0, "\(done.output)")
                }
                try await basalt.allRun(7)
                try #require(
                    try await basalt.statuses().values.allSatisfy { $0.host?.hasPrefix("safe-") == true })
                try await basalt.verify(live: 7, starts: 14)

                let token = basalt.directory.appending(path: "lost.join")
                try basalt.startAgent(
                    "lost", state: lost.state, hosts: 2, prefix: "lost", token: token,
                    ["--powered-off-at", killedAt.description])
                try await basalt.hostsReady(4)
                try await basalt.createVM("after")
                try await basalt.allRun(8)
                try await basalt.verify(live: 8, starts: 15)
            }
        }
    }
}
