import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Pools that go by lifetimes.
    @Suite struct LifetimeTests {
        private static func spec(hours: Int) -> VMSpec {
            Deployment.spec(milliCPU: 1000) {
                $0.pool = "vms"
                $0.lifetimeHintSeconds = hours * 3600
            }
        }

        private static func goBy(_ spec: [String: JSONValue], _ basalt: Deployment) async throws {
            let client = try basalt.client()
            let pool = try await client.get("vms", in: Collection(.pool))
            _ = try await client.patch(
                "vms", in: Collection(.pool), with: .object(["spec": .object(spec)]),
                match: .version(of: pool))
        }

        /// Key of the host that the VM would get now, `lava=…`.
        private static func tier(_ name: String, _ basalt: Deployment) async throws -> [String] {
            let why = try await basalt.client().why(vm: name, project: "shop")
            return try #require(why.explanation).candidates.map { candidate in
                candidate.key.first { $0.hasPrefix("lava=") } ?? "\(candidate.key)"
            }
        }

        /// Classes of hosts outlive the controller that gave them: whoever plans prefers the host that was
        /// opened for long VMs for another one.
        @Test func aKilledControllersHostClassesLiveOn() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a", holdCommits: true)
                try await basalt.makeFleet()
                try await Self.goBy(["placement": .string("lava"), "shadow": .string("best-fit")], basalt)
                try await basalt.holder(of: "east", is: "a")
                let b = try await basalt.startController("b")
                try await basalt.startAgent("sim", hosts: 4)
                try await basalt.hostsReady(4)
                try await basalt.createVM("long", Self.spec(hours: 50))
                try await basalt.vm("long", is: .running)
                try await basalt.createVM("short", Self.spec(hours: 4))
                try await basalt.vm("short", is: .running)
                // Of the class for which it was opened the host stays, whatever is left on it: what is there
                // now says another one.
                try await basalt.deleteVM("long")
                try await basalt.vmIsGone("long")
                try await basalt.createVM("guest", Self.spec(hours: 50))
                try await basalt.vm("guest", is: .running)
                let before = try await Self.tier("guest", basalt)
                try #require(before.first == "lava=1.0 (open host of its class)", "\(before)")
                try await Self.planTells(of: "guest", basalt)

                try a.holdCommits()
                try await basalt.createVM("later", Self.spec(hours: 50))
                try await eventually("a commit is held") { a.isHoldingCommit }
                basalt.focus = b
                try await a.program.end()
                try await basalt.holder(of: "east", is: "b", within: .seconds(20))
                try await basalt.allRun(3)
                let after = try await Self.tier("guest", basalt)
                try #require(after == before, "\(after)")
                let live = try await basalt.liveAllocations().mapValues { $0.map(\.host) }
                try #require(live["later"] == live["short"] && live["guest"] == live["short"], "\(live)")
                try await basalt.verify(live: 3, starts: 4)
            }
        }

        private static func planTells(of name: String, _ basalt: Deployment) async throws {
            let allocation = try #require(try await basalt.liveAllocations()[name]?.first)
            let plan = try await basalt.client().plan(try #require(allocation.plan))
            let told = try #require(plan.report.lifetimes?.first)
            try #require(told.pool == "vms" && told.policy == .lava && told.goesBy == .lava, "\(told)")
            try #require(told.shadow?.policy == .bestFit && told.shadow?.asked == 1, "\(told)")
            guard case .allocate(let directive)? = plan.groups.first?.directives.first else {
                throw TimedOut(description: "the plan allocates nothing")
            }
            try #require(directive.lifetime?.lifetimeClass == 3, "\(directive)")
        }
    }
}
