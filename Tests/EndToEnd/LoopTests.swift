import APITypes
import Client
import Fleet
import Testing

extension EndToEndTests {
    /// What every day brings: creating, placing, explaining, moving, deleting.
    @Suite struct LoopTests {
        @Test func virtualMachinesComeAndGo() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 4)
                try await basalt.startAgent("gpu", hosts: 1, pool: "gpus", ["--gpus", "h100=4"])
                try await basalt.hostsReady(5)

                try await basalt.createVM("web")
                let web = try await basalt.vm("web", is: .running)
                try #require(web.host?.isEmpty == false && web.restarts == 0)
                try await basalt.deleteVM("web")
                try await basalt.vmIsGone("web")
                let ended = try await basalt.client().allocations(.init(fieldSelector: "workload=web")).items
                try #require(ended.map(\.state) == [.released])
                try #require(ended[0].releasedAt != nil)

                try await basalt.createVM(
                    "train", Deployment.spec { $0.devices = [DeviceRequest(model: "h100", count: 2)] })
                try await basalt.vm("train", is: .running)
                let train = try #require(try await basalt.liveAllocations()["train"]?.first)
                try #require(train.devices.count == 2 && Set(train.devices).count == 2)
                try await basalt.verify(live: 1, starts: 2)
            }
        }

        @Test func whatCannotBePlacedSaysWhy() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)

                let apart = Deployment.spec { $0.antiAffinity = AntiAffinity(group: "db") }
                try await basalt.createVMs("db", count: 3, apart)
                try await basalt.allRun(3)
                let hosts = try await basalt.statuses().values.compactMap(\.host)
                try #require(Set(hosts).count == 3)
                try await basalt.createVM("db-3", apart)
                let why = try await Self.why("db-3", in: "shop", basalt) { $0.reason == .noHostFits }
                try #require(why.state == .pending && why.reason == .noHostFits)
                try #require(why.explanation?.rejected == [.init(reason: .antiAffinity, hosts: 3)])
                try #require(why.queuePosition == 1)

                // 3 of the project's 4 vCPUs, then 3 more.
                try await basalt.createVM("first", project: "small", Deployment.spec(milliCPU: 3000))
                try await basalt.vm("first", is: .running, project: "small")
                try await basalt.createVM("second", project: "small", Deployment.spec(milliCPU: 3000))
                let quota = try await Self.why("second", in: "small", basalt) { $0.reason == .quotaExceeded }
                try #require(quota.state == .pending)
                let plans = try await basalt.client().check().counts["plans"] ?? 0
                try #require(plans < 12, "a VM above its quota is tried again and again: \(plans) plans")
                try await basalt.deleteVM("first", project: "small")
                try await basalt.vm("second", is: .running, project: "small")
                try await basalt.verify(live: 4, starts: 5)
            }
        }

        @Test func drainedHostsEmptyAndCordonedOnesTakeNothing() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 2)
                try await basalt.hostsReady(2)
                let client = try basalt.client()
                _ = try await client.cordon(host: "sim-1", reason: "fan")
                try await basalt.createVMs("web", count: 10)
                try await basalt.allRun(10)
                try #require(try await basalt.statuses().values.allSatisfy { $0.host == "sim-0" })

                _ = try await client.uncordon(host: "sim-1", reason: "fan replaced")
                let drain = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "kernel", "--yes", "--wait", "-o", "json",
                ])
                try #require(drain.status == 0, "\(drain.output)")
                try #require(drain.output.contains("succeeded"))
                try await basalt.allRun(10)
                try #require(try await basalt.statuses().values.allSatisfy { $0.host == "sim-1" })
                try #require(try await basalt.events(.drained).map(\.name) == ["sim-0"])
                let again = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "kernel", "--yes", "--wait", "-o", "json",
                ])
                try #require(again.status == 0 && again.output.contains("succeeded"), "\(again.output)")
                try await basalt.verify(live: 10, starts: 20)
            }
        }

        private static func why(
            _ name: String, in project: String, _ basalt: Deployment,
            _ condition: (WhyResponse) -> Bool
        ) async throws -> WhyResponse {
            try await eventually("\(name) says why") {
                let answer = try await basalt.client().why(vm: name, project: project)
                guard condition(answer) else {
                    throw TimedOut(description: "\(answer.state) \(answer.reason) \(answer.message)")
                }
                return answer
            }
        }
    }
}
