import APITypes
import Client
import Fleet
import Testing

extension EndToEndTests {
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
    }
}
