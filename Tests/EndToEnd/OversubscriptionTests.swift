import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Shared CPU that is sold more than once, and what makes an end of it.
    @Suite struct OversubscriptionTests {
        @Test func aRatioIsSoldLoweredStoppedAndSurvivesACrash() async throws {
            try await Deployment.run { basalt in
                let controller = try await basalt.startController("a")
                try await basalt.makeFleet()
                try await Self.setRatio(2000, basalt, isNew: true)
                try await basalt.startAgent("sim", hosts: 1, ["--shape", "8x64"])
                try await basalt.hostsReady(1)
                try await Self.run(["policy", "pool/vms", "--set", "double"], basalt)

                // One guaranteed vCPU leaves seven, which are sold twice, but not to the guaranteed class.
                try await basalt.createVM("own", Self.spec(1000, .guaranteed))
                try await basalt.createVMs("web", count: 14, Self.spec(1000))
                try await basalt.allRun(15)
                try await Self.waits("other", Self.spec(1000, .guaranteed), basalt)
                try await Self.waits("more", Self.spec(1000), basalt)
                try await basalt.deleteVM("other")
                try await basalt.vmIsGone("other")

                // Lowered below what is used: all run on, and nothing more comes.
                try await Self.setRatio(1000, basalt)
                try await basalt.deleteVM("web-0")
                try await basalt.vmIsGone("web-0")
                let over = try await basalt.client().rate(of: RateScope(.pool, "vms"))
                try #require(over.effective.ratioPerMille == 1000 && over.use.overfullHosts == 1, "\(over)")
                try #require(over.use.sharedMilliCPU == 13_000 && over.use.guaranteedMilliCPU == 1000)
                try await basalt.vm("more", is: .pending)
                try #require(try await basalt.liveAllocations().count == 14)

                // The switch stops what comes, and a crash of the controller keeps it.
                try await Self.run(["kill-switch", "pool/vms", "--reason", "incident", "--yes"], basalt)
                try await Self.setRatio(2000, basalt)
                try await controller.program.end()
                try await basalt.startController("a")
                let killed = try await basalt.client().rate(of: RateScope(.host, "sim-0"))
                try #require(killed.effective.ratioPerMille == 1000 && killed.effective.clamps == [.kill])
                try await basalt.vm("more", is: .pending)
                try #require(try await basalt.liveAllocations().count == 14)
                let explained = try await basalt.basalt(["oversub", "explain", "vm/web-1", "-p", "shop"])
                try #require(explained.status == 0 && explained.output.contains("kill"), "\(explained)")
                let away = ["kill-switch", "pool/vms", "--off", "--reason", "over"]
                try await Self.run(away, basalt)
                try await basalt.vm("more", is: .running)
                try #require(try await basalt.events(.oversubscriptionStopped).count == 1)
                try #require(try await basalt.events(.constraintEnded).count == 1)
                try await basalt.verify(live: 15, starts: 16)
            }
        }

        private static func spec(_ milliCPU: Int, _ word: WorkloadClass = .standard) -> VMSpec {
            Deployment.spec(milliCPU: milliCPU, memoryMiB: 256) {
                $0.pool = "vms"
                $0.class = word
            }
        }

        private static func run(_ arguments: [String], _ basalt: Deployment) async throws {
            let answer = try await basalt.basalt(["oversub"] + arguments)
            try #require(answer.status == 0, "\(answer.output)")
        }

        private static func setRatio(
            _ ratio: Int, _ basalt: Deployment, isNew: Bool = false
        ) async throws {
            let (client, policies) = (try basalt.client(), Collection(.policy))
            let spec = PolicySpec(
                type: .oversubscription,
                oversubscription: OversubscriptionRules(mode: .pinned, ratioPerMille: ratio))
            let draft = WireDraft(
                kind: Kind.policy.rawValue, metadata: .init(name: "double"), spec: try .encoding(spec))
            if isNew {
                _ = try await client.create(draft, in: policies)
            } else {
                let current = try await client.get("double", in: policies)
                _ = try await client.replace(draft, in: policies, match: .version(of: current))
            }
        }

        /// Creates a VM that no host has room for.
        private static func waits(_ name: String, _ spec: VMSpec, _ basalt: Deployment) async throws {
            try await basalt.createVM(name, spec)
            try await eventually("\(name) is told that no host fits") {
                let status = try await basalt.status(name)
                return status.state == .pending && status.conditions.contains { $0.reason == .noHostFits }
            }
        }
    }
}
