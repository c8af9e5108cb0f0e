import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// What VMs use, and the guards of hosts.
    @Suite struct UsageTests {
        private func guarded(_ basalt: Deployment, _ host: String) async throws -> Condition? {
            try await basalt.host(host).conditions.first { $0.type == .guarded }
        }

        @Test func aNoisyNeighbourIsSeenHeldBackAndLetGo() async throws {
            // Leases long enough that a host without its agent is silent before it is lost.
            try await Deployment.run(.init(host: 60, cell: 2)) { basalt in
                let often = ["--usage-interval-seconds", "1"]
                try await basalt.startController("a", often)
                try await basalt.makeFleet(ratioPerMille: 4000)
                let trace = basalt.directory.appending(path: "use.csv")
                try Data("vm,cores,cap_mhz,t0_unix,step_s,values\na,1,0,0,300,1000\n".utf8).write(to: trace)
                let agent = try await basalt.startAgent(
                    "sim", hosts: 2,
                    ["--shape", "8x64", "--usage-trace", trace.path, "--guard-hold-seconds", "3"])
                try await basalt.hostsReady(2)
                let spot = Deployment.spec(milliCPU: 8000) { $0.class = .spot }
                try await basalt.createVMs("spot", count: 4, spot)
                try await basalt.allRun(4)
                let hosts = try await basalt.statuses().values.compactMap(\.host)
                let crowded = try #require(
                    ["sim-0", "sim-1"].max { a, b in hosts.count { $0 == a } < hosts.count { $0 == b } })

                let noise = agent.state.appending(path: "substrate/noise")
                try Data("\(crowded) 64\n".utf8).write(to: noise)
                try await eventually("the guard sees the noise", within: .seconds(30)) {
                    try await guarded(basalt, crowded)?.status == .yes
                }
                try #require(try await guarded(basalt, crowded)?.reason == .hostHot)
                try await basalt.createVMs("more", count: 3)
                try await basalt.allRun(7)
                let placed = try await basalt.statuses().filter { $0.key.hasPrefix("more") }.values
                try #require(placed.allSatisfy { $0.host != nil && $0.host != crowded })

                // A guard calls a host calm only when nobody waits: the VMs held back are enough.
                try await eventually("spot VMs are held back") {
                    try await basalt.events(.hostHot).contains { $0.message.hasPrefix("holds ") }
                }
                try await eventually("the host is relieved") {
                    try await basalt.events(.hostCalm).contains { $0.name == crowded }
                }

                // Who controls does not matter to the guard, and it is known to the next one.
                try await basalt.controllers["a"]?.program.end()
                try FileManager.default.removeItem(at: noise)
                try await basalt.startController("a", often)
                try await eventually("the host takes VMs again") {
                    try await guarded(basalt, crowded)?.status == .no
                }

                // An agent that says nothing is not trusted to have room.
                try await agent.program.end()
                try await eventually("silence is seen", within: .seconds(30)) {
                    try await guarded(basalt, crowded)?.reason == .telemetryStale
                }
                try #require(try await basalt.host(crowded).contact == .ready)
                try await basalt.createVM("late")
                try await holds("nothing is placed on silent hosts", for: .seconds(2)) {
                    try await basalt.status("late").state == .pending
                }
                try await basalt.startAgent(
                    "sim", hosts: 2,
                    ["--shape", "8x64", "--usage-trace", trace.path, "--guard-hold-seconds", "3"])
                try await basalt.vm("late", is: .running)
                try await basalt.verify(live: 8, starts: 8)
            }
        }

        @Test func aHotHostsVMMovesAwayAsItsGuardAsks() async throws {
            try await Deployment.run(.init(host: 60, cell: 2)) { basalt in
                try await basalt.startController("a", ["--usage-interval-seconds", "1"])
                try await basalt.makeFleet()
                let trace = basalt.directory.appending(path: "use.csv")
                try Data("vm,cores,cap_mhz,t0_unix,step_s,values\na,1,0,0,300,2000\n".utf8).write(to: trace)
                let agent = try await basalt.startAgent(
                    "sim", hosts: 2,
                    ["--shape", "8x64", "--usage-trace", trace.path, "--guard-hold-seconds", "2"])
                try await basalt.hostsReady(2)
                // No spot VM makes the noise, so that there is nobody to hold back.
                try await basalt.createVM("web", Deployment.spec(milliCPU: 4000))
                try await basalt.allRun(1)
                let crowded = try #require(try await basalt.status("web").host)
                let noise = agent.state.appending(path: "substrate/noise")
                try Data("\(crowded) 64\n".utf8).write(to: noise)
                try await eventually("the VM moves away") {
                    let status = try await basalt.status("web")
                    return status.state == .running && status.host != crowded
                }
                let told = try await basalt.events(.migrating).first?.message ?? ""
                try #require(told.contains("its guard asks that shop/web moves away"), "\(told)")
                try #require(told.contains("run delay"), "\(told)")
                try #require(try await guarded(basalt, crowded)?.reason == .hostHot)
                try #require(try await basalt.events(.migrated).count == 1)
                try await basalt.verify(live: 1, starts: 2)
            }
        }
    }
}
