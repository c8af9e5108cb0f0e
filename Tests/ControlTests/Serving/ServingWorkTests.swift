import Fleet
import Store
import Testing

@testable import Control

@Suite struct ServingWorkTests {
    private static let ids = CountedIDs()

    private static func group(
        _ name: String, on hosts: [String], role: ServingRoutes.Role = .both
    ) -> ServingPlanSummary.Group {
        .init(
            name: name, role: role, address: "\(hosts[0]):8000",
            stages: hosts.map {
                .init(host: $0, type: "A40", width: 1, devices: ["d-\(name)-\($0)"], layers: 8)
            },
            slots: 4, contextTokens: 1000)
    }

    private static func plan(
        _ groups: [ServingPlanSummary.Group], _ pairs: [(String, String, Double)]
    ) -> ServingPlanSummary {
        ServingPlanSummary(
            generation: 1, groups: groups,
            pairs: pairs.map { .init(prefill: $0.0, decode: $0.1, weight: $0.2) },
            attainment: 0.95, goodput: 10, costPerHour: 1, binding: "none", seed: 1, evaluations: 1,
            searchMilliseconds: 1)
    }

    private static func part(
        _ name: String, of group: ServingPlanSummary.Group, on host: String,
        _ state: Allocation.State = .active, contact: HostContact = .ready
    ) -> PartView {
        let allocation = Allocation(
            id: ids.id(),
            workload: .init(
                kind: .servingDeployment, uid: ids.id(), project: "team", name: "chat", part: name),
            cell: "a", host: ids.id(), class: .guaranteed, resources: Resources(milliCPU: 1, memoryMiB: 1),
            devices: group.devices(on: host), state: state, createdAt: Timestamp(seconds: 0))
        return PartView(allocation: allocation, host: host, contact: contact, isHeld: false)
    }

    @Test func `a group serves when all of its parts run, and is stopped when one is missing`() {
        let wide = Self.group("g1", on: ["h1", "h2"])
        let plan = Self.plan([wide], [("g1", "g1", 1)])
        let head = Self.part("g1-0", of: wide, on: "h1")
        let tail = Self.part("g1-1", of: wide, on: "h2")
        #expect(ServingWork(plan, parts: [head, tail]).live == ["g1"])
        let broken = ServingWork(plan, parts: [tail])
        #expect(broken.live.isEmpty && broken.missing.isEmpty)
        #expect(broken.releases.map(\.id) == [tail.allocation.id])
        // It comes back whole, once what is left of it has ended.
        let leaving = Self.part("g1-1", of: wide, on: "h2", .releasing)
        #expect(ServingWork(plan, parts: [leaving]).missing.isEmpty)
        #expect(ServingWork(plan, parts: []).missing == [wide])
        let starting = Self.part("g1-1", of: wide, on: "h2", .reserved)
        let held = ServingWork(plan, parts: [head, starting])
        #expect(held.live.isEmpty && held.releases.isEmpty && held.missing.isEmpty)
    }

    @Test func `nobody is sent to a host without contact, and what runs there stays`() {
        let group = Self.group("g1", on: ["h1"])
        let plan = Self.plan([group], [("g1", "g1", 1)])
        let silent = Self.part("g1", of: group, on: "h1", contact: .suspect)
        let work = ServingWork(plan, parts: [silent])
        #expect(work.live.isEmpty && work.releases.isEmpty && work.missing.isEmpty)
    }

    @Test func `parts of an earlier plan are stopped`() {
        let (old, new) = (Self.group("g1", on: ["h1"]), Self.group("g1", on: ["h2"]))
        let work = ServingWork(
            Self.plan([new], [("g1", "g1", 1)]), parts: [Self.part("g1", of: old, on: "h1")])
        #expect(work.releases.count == 1 && work.missing == [new])
    }

    @Test
    func `routes keep the proportions of what is left, and every replica helps out when a phase is lost`() {
        let plan = Self.plan(
            [
                Self.group("p1", on: ["h1"], role: .prefill), Self.group("d1", on: ["h2"], role: .decode),
                Self.group("d2", on: ["h3"], role: .decode),
            ], [("p1", "d1", 0.6), ("p1", "d2", 0.3)])
        let less = plan.routing.among(["p1", "d2"])
        #expect(less.pairs == [.init(prefill: "p1", decode: "d2", weight: 0.3)])
        #expect(less.roles == ["p1": .prefill, "d2": .decode])
        let alone = plan.routing.among(["d1", "d2"])
        #expect(alone.roles == ["d1": .both, "d2": .both])
        #expect(
            alone.pairs.map(\.prefill) == ["d1", "d2"] && alone.pairs.allSatisfy { $0.prefill == $0.decode })
        #expect(plan.routing.among([]).pairs.isEmpty)
    }

    @Test func `versions of routes grow with what they say, and stay while they say the same`() throws {
        let ids = CountedIDs()
        let groups = [Self.group("g1", on: ["h1"]), Self.group("g2", on: ["h2"])]
        let spec = ServingDeploymentSpec(cell: "a", model: "m")
        var record = try ServingDeploymentRecord(
            Resource(
                kind: .servingDeployment,
                metadata: Metadata(
                    name: "chat", uid: ids.id(), project: "team", createdAt: Timestamp(seconds: 0)),
                spec: DocumentJSON.encode(spec), status: "{}"))
        record.adopt(Self.plan(groups, [("g1", "g1", 0.5), ("g2", "g2", 0.5)]))
        func settle(_ parts: [PartView]) throws -> ServingRoutes? {
            if let next = try record.settled(parts, now: Timestamp(seconds: 1)) {
                record.status = try DocumentJSON.decode(ServingDeploymentStatus.self, from: next.status)
            }
            return record.status.routes
        }
        let (one, two) = (Self.part("g1", of: groups[0], on: "h1"), Self.part("g2", of: groups[1], on: "h2"))
        #expect(try settle([]) == nil)
        #expect(try settle([one])?.version == 1)
        #expect(try settle([one, two])?.version == 2)
        #expect(try settle([one, two])?.version == 2)
        #expect(record.status.state == .running)
        // Step 0 of a loss: at once, without any search.
        let lost = try settle([two])
        #expect(lost?.version == 3 && lost?.replicas.map(\.name) == ["g2"])
        // Phases that a search found for those that are left.
        record.detour = .init(
            live: ["g2"],
            routing: .init(roles: ["g2": .both], pairs: [.init(prefill: "g2", decode: "g2", weight: 1)]))
        #expect(try settle([two])?.version == 4)
        record.epoch = 2
        #expect(try settle([two])?.epoch == 2)
        #expect(try settle([])?.replicas == [])
        #expect(record.status.routes?.defects() == [])
    }

    @Test func `a replica that ends by itself is started again, later each time`() throws {
        let ids = CountedIDs()
        let group = Self.group("g1", on: ["h1"])
        var record = try ServingDeploymentRecord(
            Resource(
                kind: .servingDeployment,
                metadata: Metadata(
                    name: "chat", uid: ids.id(), project: "team", createdAt: Timestamp(seconds: 0)),
                spec: DocumentJSON.encode(ServingDeploymentSpec(cell: "a", model: "m")), status: "{}"))
        record.adopt(Self.plan([group], [("g1", "g1", 1)]))
        var waits: [Int] = []
        for second in [10.0, 20, 30, 40] {
            var allocation = Self.part("g1", of: group, on: "h1").allocation
            allocation.releasedAt = Timestamp(seconds: second)
            record.ended(allocation, wasAsked: false)
            let until = try #require(record.failures["g1"]?.notBefore)
            waits.append(Int(until.since(Timestamp(seconds: second)) / .seconds(1)))
        }
        #expect(waits == [0, 2, 4, 8])
        var asked = Self.part("g1", of: group, on: "h1").allocation
        asked.releasedAt = Timestamp(seconds: 50)
        record.ended(asked, wasAsked: true)
        #expect(record.failures["g1"]?.count == 4)
    }
}
