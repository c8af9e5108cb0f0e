import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Testing

extension EndToEndTests {
    /// Hosts that fall silent, and what a person has to say about it.
    @Suite struct HealingTests {
        @Test func aStalledAgentComesBackToWhatItMayKeep() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let stalled = try await basalt.startAgent("lost", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVMs("stop", count: 2, Deployment.spec { $0.onPartition = .stop })
                try await basalt.createVMs("keep", count: 2)
                try await basalt.allRun(4)
                try await basalt.startAgent("safe", hosts: 1)
                try await basalt.hostsReady(2)

                stalled.program.signal(SIGSTOP)
                try await basalt.host("lost-0", is: .fenced)
                try await eventually("the stop VMs run elsewhere") {
                    let found = try await basalt.statuses().filter { $0.key.hasPrefix("stop-") }.values
                    return found.allSatisfy { $0.state == .running && $0.host == "safe-0" }
                }
                stalled.program.signal(SIGCONT)
                try await basalt.hostsReady(2)
                try await basalt.allRun(4)
                let keep = try await basalt.statuses().filter { $0.key.hasPrefix("keep-") }.values
                try #require(keep.allSatisfy { $0.host == "lost-0" && $0.restarts == 0 })
                try #require(try await basalt.events(.hostReturned).map(\.name) == ["lost-0"])
                try await basalt.verify(live: 4, starts: 6)
            }
        }

        /// The defaults of the product, in real time.
        @Test func theStandardTermsHold() async throws {
            try await Deployment.run(.init(host: 30, cell: 6)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.holder(of: "east", is: "a")
                let b = try await basalt.startController("b")
                let lost = try await basalt.startAgent("lost", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVM("web", Deployment.spec { $0.onPartition = .stop })
                try await basalt.vm("web", is: .running)
                try await basalt.startAgent("safe", hosts: 1)
                try await basalt.hostsReady(2)

                let a = try #require(basalt.controllers["a"])
                basalt.focus = b
                let crashed = ContinuousClock.now
                try await a.program.end()
                try await basalt.createVM("after")
                try await eventually("the next controller commits", within: .seconds(10)) {
                    try await basalt.status("after").scheduledAt != nil
                }
                basalt.note("first commit after a kill, standard terms", ContinuousClock.now - crashed)

                let killed = ContinuousClock.now
                try await lost.program.end()
                try await basalt.host("lost-0", is: .suspect, within: .seconds(45))
                basalt.note("detection of a lost host, standard terms", ContinuousClock.now - killed)
                try await basalt.host("lost-0", is: .fenced, within: .seconds(30))
                basalt.note("fencing of a lost host, standard terms", ContinuousClock.now - killed)
                try await eventually("it runs elsewhere") {
                    let status = try await basalt.status("web")
                    return status.state == .running && status.host == "safe-0"
                }
                basalt.note("restart of stop workloads, standard terms", ContinuousClock.now - killed)
            }
        }

        @Test func aLostZoneWaitsForAPerson() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let lost = try await basalt.startAgent("lost", hosts: 4)
                try await basalt.hostsReady(4)
                try await basalt.createVMs("stop", count: 4, Deployment.spec { $0.onPartition = .stop })
                try await basalt.allRun(4)
                try await basalt.startAgent("safe", hosts: 4)
                try await basalt.hostsReady(8)

                try await lost.program.end()
                try await eventually("the breaker trips") {
                    try await !basalt.events(.breakerTripped).isEmpty
                }
                let tripped = try await basalt.client().breakers()
                try #require(tripped.count == 1 && tripped[0].lost >= 3 && tripped[0].hosts == 8)
                try await eventually("the VMs say why") {
                    let why = try await basalt.basalt(["why", "vm", "stop-0", "-p", "shop"])
                    return why.output.contains("the breaker of its zone waits for a person")
                }
                // Much longer than fencing takes.
                try await holds("nothing is fenced", for: .seconds(8)) {
                    try await basalt.events(.hostFenced).isEmpty
                }
                let cell = try await basalt.basalt(["describe", "cell", "east"])
                try #require(cell.output.contains("BreakerTripped"), "\(cell.output)")
                let zone = tripped[0].zone
                let reset = try await basalt.basalt([
                    "host", "breaker", "reset", "east", "--zone", zone, "--reason", "power is off", "--yes",
                ])
                try #require(reset.status == 0, "\(reset.output)")
                try await eventually("the VMs run elsewhere") {
                    try await basalt.statuses().values.allSatisfy {
                        $0.state == .running && $0.host?.hasPrefix("safe-") == true
                    }
                }
                let list = try await basalt.basalt(["host", "breaker", "list", "-o", "name"])
                try #require(list.status == 0 && !list.output.contains("zone"), "\(list.output)")
                try await basalt.verify(live: 4, starts: 8)
            }
        }

        @Test func anAgentThatForgetsHostsLosesNoneOfThem() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startAgent("sim", hosts: 6)
                try await basalt.hostsReady(6)
                // One on each, so that some are on hosts that will be missing.
                try await basalt.createVMs(
                    "web", count: 6, Deployment.spec { $0.antiAffinity = AntiAffinity(group: "web") })
                try await basalt.allRun(6)
                let token = basalt.directory.appending(path: "sim.join")
                try await agent.program.end()
                let fewer = try basalt.startAgent(
                    "sim", state: agent.state, hosts: 2, prefix: "sim", token: token)
                try await eventually("four are missing") {
                    try await basalt.events(.inventoryShrank).count == 4
                }
                try await basalt.host("sim-5", is: .suspect)
                // Longer than fencing takes.
                try await holds("nothing is fenced or stopped", for: .seconds(6)) {
                    let fenced = try await basalt.events(.hostFenced)
                    return try fenced.isEmpty && basalt.journal().allSatisfy { $0.event != .stop }
                }
                let held = try await basalt.host("sim-5").conditions.first { $0.type == .held }
                try #require(held?.status == .yes)
                try await fewer.program.end()
                try basalt.startAgent("sim", state: agent.state, hosts: 6, prefix: "sim", token: token)
                try await basalt.hostsReady(6)
                try await basalt.allRun(6)
                try #require(try await basalt.statuses().values.allSatisfy { $0.restarts == 0 })
                try await basalt.verify(live: 6, starts: 6)
            }
        }

        @Test func aHostThatComesAndGoesIsCordoned() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(1)
                for _ in 1...3 {
                    agent.program.signal(SIGSTOP)
                    try await basalt.host("sim-0", is: .suspect)
                    agent.program.signal(SIGCONT)
                    try await basalt.hostsReady(1)
                }
                let events = try await basalt.events(.flapping)
                try #require(events.map(\.name) == ["sim-0"])
                let host = try await basalt.client().get("sim-0", in: Collection(.host))
                try #require(host.spec["cordoned"] == .bool(true))
                try #require(host.spec["cordonReason"]?.string?.hasPrefix("lost 3 times") == true)
                // Mended and taken back, it starts from nothing.
                _ = try await basalt.client().uncordon(host: "sim-0", reason: "new cable")
                try await basalt.createVM("web")
                try await basalt.vm("web", is: .running)
                try await basalt.verify(live: 1, starts: 1)
            }
        }
    }
}
