import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Groups of VMs, placed whole or one by one.
    @Suite struct GroupTests {
        @Test func aGangWaitsForRoomForAllOfItAndOutlivesItsController() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a", holdCommits: true)
                try await basalt.makeFleet()
                try await basalt.holder(of: "east", is: "a")
                let b = try await basalt.startController("b")
                try await basalt.startAgent("sim", hosts: 6)
                try await basalt.hostsReady(6)

                let whole = try await basalt.dryRun("ring", replicas: 6, .host)
                try #require(whole.plan?.groups.map(\.directives.count) == [6] && whole.explanation == nil)
                let much = try await basalt.dryRun("ring", replicas: 8, .host)
                try #require(much.plan?.groups == [] && much.explanation?.gang?.fitted == 6)
                try await basalt.createGroup("ring", replicas: 8, .host)
                let why = try await basalt.groupWhy("ring") { $0.reason == .noHostFits }
                try #require(why.state == .pending && why.queuePosition == 1)
                let gang = PlacementExplanation.Gang(group: "ring", members: 8, fitted: 6, member: "ring-6")
                try #require(why.explanation?.gang == gang)
                try #require(why.explanation?.rejected == [.init(reason: .antiAffinity, hosts: 6)])
                let member = try await basalt.client().why(vm: "ring-3", project: "shop")
                try #require(member.explanation?.gang == gang && member.reason == .noHostFits)
                // It holds nobody up, and has taken nothing.
                try await basalt.createVM("lone")
                try await basalt.vm("lone", is: .running)
                try #require(Set(try await basalt.liveAllocations().keys) == ["lone"])

                // The plan for all eight is under way when its controller dies.
                try a.holdCommits()
                try await basalt.startAgent("more", hosts: 2)
                try await eventually("a commit is held") { a.isHoldingCommit }
                basalt.focus = b
                try await a.program.end()
                try await basalt.allRun(9)
                try await basalt.groupIs("ring") { $0.state == .running && $0.running == 8 }
                let placed = try await basalt.client().allocations().items
                    .filter { $0.workload.name != "lone" }
                try #require(placed.count == 8 && Set(placed.map(\.plan)).count == 1)
                try #require(Set(placed.map(\.host)).count == 8)

                let scaled = try await basalt.basalt([
                    "vmgroup", "scale", "ring", "--replicas", "4", "-p", "shop", "--wait",
                ])
                try #require(scaled.status == 0, "\(scaled.output)")
                try await basalt.allRun(5)
                try #require(
                    Set(try await basalt.statuses().keys) == ["lone", "ring-0", "ring-1", "ring-2", "ring-3"])
                try await basalt.deleteGroup("ring")
                try await basalt.allRun(1)
                try await basalt.verify(live: 1, starts: 9)
            }
        }

        @Test func membersAreMadeAgainAndAnotherTemplateIsForNewOnes() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)
                let groups = Collection(.vmGroup, project: "shop")

                // A VM of somebody else has a member's name.
                try await basalt.createVM("web-1")
                try await basalt.vm("web-1", is: .running)
                try await basalt.createGroup("web", replicas: 3, .none, placement: .any)
                try await basalt.groupIs("web") { status in
                    status.conditions.contains { $0.reason == .nameTaken && $0.message.contains("web-1") }
                }
                try await basalt.deleteVM("web-1")
                try await basalt.groupIs("web") { $0.state == .running && $0.running == 3 }

                let before = try await basalt.client().get("web-2", in: Collection(.vm, project: "shop"))
                try #require(before.metadata.labels[GroupMembership.label] == "web")
                let document = try await basalt.client().get("web", in: groups)
                let patch = try JSONValue.encoding([
                    "spec": ["template": ["spec": ["resources": ["milliCPU": 2000]]]]
                ])
                _ = try await basalt.client().patch(
                    "web", in: groups, with: patch, match: .version(of: document))
                try await basalt.groupIs("web") { status in
                    status.conditions.contains { $0.type == .upToDate && $0.reason == .templateChanged }
                }
                try await basalt.deleteVM("web-2")
                let again = try await eventually("web-2 is made again") { () -> VMSpec? in
                    let vms = Collection(.vm, project: "shop")
                    guard let found = try await basalt.client().find("web-2", in: vms),
                        found.metadata.uid != before.metadata.uid
                    else { return nil }
                    return try found.spec.decoded()
                }
                try #require(again.resources?.milliCPU == 2000)
                try await basalt.groupIs("web") { status in
                    status.running == 3
                        && status.conditions.contains { $0.message.hasPrefix("2 of 3 members differ") }
                }
                try await basalt.deleteGroup("web")
                try await basalt.allRun(0)
                try #require(try await basalt.events(.templateChanged).map(\.name) == ["web"])
                try await basalt.verify(live: 0, starts: 5)
            }
        }

        @Test func aGangAboveItsQuotaIsRefusedWhole() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)
                // Five of 1 vCPU, of which the project may hold four.
                try await basalt.createGroup("ring", replicas: 5, .none, project: "small")
                let why = try await basalt.groupWhy("ring", project: "small") { $0.reason == .quotaExceeded }
                try #require(why.state == .pending)
                try await basalt.createVM("lone", project: "small")
                try await basalt.vm("lone", is: .running, project: "small")
                try #require(Set(try await basalt.liveAllocations().keys) == ["lone"])
                try await basalt.deleteVM("lone", project: "small")
                let scaled = try await basalt.basalt([
                    "vmgroup", "scale", "ring", "--replicas", "4", "-p", "small",
                ])
                try #require(scaled.status == 0, "\(scaled.output)")
                try await basalt.groupIs("ring", project: "small") { $0.running == 4 }
                try await basalt.verify(live: 4, starts: 5)
            }
        }
    }
}

extension Deployment {
    func createGroup(
        _ name: String, replicas: Int, _ separation: VMGroupSpec.Separation,
        placement: VMGroupSpec.Placement = .all, project: String = "shop"
    ) async throws {
        let draft = try Self.groupDraft(name, replicas: replicas, separation, placement)
        _ = try await client().create(draft, in: Collection(.vmGroup, project: project))
    }

    func dryRun(
        _ name: String, replicas: Int, _ separation: VMGroupSpec.Separation
    ) async throws -> DryRun {
        let draft = try Self.groupDraft(name, replicas: replicas, separation, .all)
        return try await client().dryRunCreate(draft, in: Collection(.vmGroup, project: "shop"))
    }

    private static func groupDraft(
        _ name: String, replicas: Int, _ separation: VMGroupSpec.Separation,
        _ placement: VMGroupSpec.Placement
    ) throws -> WireDraft {
        var spec = Self.spec()
        spec.cell = nil
        let group = VMGroupSpec(
            replicas: replicas, placement: placement, antiAffinity: separation,
            template: VMTemplate(spec: spec))
        return WireDraft(
            kind: Kind.vmGroup.rawValue, metadata: .init(name: name), spec: try .encoding(group))
    }

    func groupIs(
        _ name: String, project: String = "shop", _ condition: @Sendable (VMGroupStatus) -> Bool
    ) async throws {
        try await eventually("group \(name) is as wanted", within: .seconds(60)) {
            let document = try await self.client().get(name, in: Collection(.vmGroup, project: project))
            guard let status = document.status, status.object?.isEmpty == false else { return false }
            let read: VMGroupStatus = try status.decoded()
            guard condition(read) else { throw TimedOut(description: "\(read)") }
            return true
        }
    }

    func groupWhy(
        _ name: String, project: String = "shop", _ condition: @Sendable (WhyResponse) -> Bool
    ) async throws -> WhyResponse {
        try await eventually("group \(name) says why") {
            let answer = try await self.client().why(vmGroup: name, project: project)
            guard condition(answer) else { throw TimedOut(description: "\(answer)") }
            return answer
        }
    }

    func deleteGroup(_ name: String, project: String = "shop") async throws {
        let groups = Collection(.vmGroup, project: project)
        _ = try await client().delete(name, in: groups)
        try await eventually("group \(name) is gone", within: .seconds(60)) {
            try await self.client().find(name, in: groups) == nil
        }
    }
}
