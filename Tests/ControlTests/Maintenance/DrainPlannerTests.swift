import Fleet
import Store
import Testing

@testable import Control

@Suite("Draining a host")
struct DrainPlannerTests {
    private static let now = Timestamp(microseconds: 1_700_000_000_000_000)

    /// A cell with hosts `h1`, `h2`, … of 8 vCPUs in pool `p`, of which `h1` drains.
    private struct Cell {
        var model = CellModel(name: "a")
        let ids = CountedIDs()
        var hosts: [HostRecord] = []

        init(hosts count: Int, budgets: [DisruptionBudget]? = nil) {
            model.put(
                pool: "p", PoolSpec(cell: "a", admits: [.vm], disruptionBudgets: budgets))
            for number in 1...count {
                let room = HostRoom(
                    total: Resources(milliCPU: 8000, memoryMiB: 8192), reserved: .zero, cpuRatioPerMille: 1000
                )
                let host = HostRecord(
                    id: ids.id(), name: "h\(number)", cell: "a", pool: "p", labels: [:], domain: .init(),
                    substrate: "simulated", generation: 1, assignment: 0, cordoned: false,
                    draining: number == 1, contact: .ready, session: nil, room: room, devices: [],
                    takenDevices: [])
                hosts.append(host)
                model.put(host: host)
            }
        }

        mutating func run(
            _ name: String, on host: Int = 0, milliCPU: Int = 1000, labels: [String: String] = [:],
            annotations: [String: String] = [:]
        ) throws {
            let resources = Resources(milliCPU: milliCPU, memoryMiB: 64)
            let spec = try DocumentJSON.encode(VMSpec(cell: "a", resources: resources))
            let uid: ID<Document> = ids.id()
            let metadata = Metadata(
                name: name, uid: uid, project: "team", labels: labels, annotations: annotations,
                generation: 1, revision: 1, resourceVersion: "1.1.1", createdAt: DrainPlannerTests.now,
                deletionTimestamp: nil, finalizers: [])
            let vm = try VMRecord(Resource(kind: .vm, metadata: metadata, spec: spec, status: "{}"))
            model.put(vm: vm)
            model.put(
                allocation: Allocation(
                    id: ids.id(), workload: vm.reference, cell: "a", host: hosts[host].id, class: .standard,
                    resources: resources, state: .active, createdAt: DrainPlannerTests.now))
        }

        func decide(_ edit: (inout DrainPlanner.Terms) -> Void = { _ in }) -> DrainPlanner.Decision {
            var terms = DrainPlanner.Terms(slots: 8, now: DrainPlannerTests.now)
            edit(&terms)
            return DrainPlanner.decide(host: hosts[0], model: model, terms: terms)
        }
    }

    @Test("what fits elsewhere moves, the rest stays with the nearest fix")
    func room() throws {
        var cell = Cell(hosts: 2)
        try cell.run("other", on: 1, milliCPU: 5000)
        for name in ["v1", "v2", "v3", "v4"] { try cell.run(name) }
        let decision = cell.decide()
        #expect(decision.moves.map(\.to) == ["h2", "h2", "h2"] && decision.releases.count == 3)
        #expect(decision.blocked.map(\.reason) == [.noHostFits] && decision.left == 4)
        #expect(decision.blocked.first?.nearestFix?.contains("1 vCPU more on host h2") == true)
        #expect(decision.sentence("h1").contains("1 cannot go, such as team/v4: NoHostFits"))
    }

    @Test("the host itself is never a target, not even before it drains")
    func itself() throws {
        var cell = Cell(hosts: 1)
        cell.hosts[0].draining = false
        cell.model.put(host: cell.hosts[0])
        try cell.run("v1")
        let preview = cell.model.drainPreview(
            host: cell.hosts[0], spec: HostSpec(cell: "a", pool: "p"), slots: 8, now: Self.now)
        #expect(preview.moves.isEmpty && preview.blocked.map(\.name) == ["v1"])
    }

    @Test("an owner's wish holds until a deadline that stops")
    func doNotDisrupt() throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1", annotations: [DrainPlanner.doNotDisrupt: "true"])
        #expect(cell.decide().blocked.map(\.reason) == [.doNotDisrupt])
        let past = Self.now.advanced(by: .seconds(-1))
        let waits = cell.decide { $0.drain = DrainSpec(deadline: past) }
        #expect(waits.releases.isEmpty && waits.isPastDeadline)
        #expect(waits.sentence("h1").hasPrefix("1 left; the deadline has passed"))
        let stops = cell.decide { $0.drain = DrainSpec(deadline: past, atDeadline: .stop) }
        #expect(stops.releases.count == 1 && stops.blocked.isEmpty)
        let early = Self.now.advanced(by: .seconds(1))
        #expect(cell.decide { $0.drain = DrainSpec(deadline: early, atDeadline: .stop) }.releases.isEmpty)
    }

    @Test("no more are disrupted at once than the drain says")
    func parallel() throws {
        var cell = Cell(hosts: 2)
        for name in ["v1", "v2", "v3"] { try cell.run(name) }
        #expect(cell.decide { $0.slots = 2 }.releases.count == 2)
        #expect(cell.decide { $0.drain.maxParallel = 1 }.releases.count == 1)
        #expect(cell.decide { $0.drain.maxParallel = 1 }.moves.count == 3)
    }

    @Test("a budget counts what is down already, by project and labels")
    func budgets() throws {
        let budget = DisruptionBudget(project: "team", selector: ["tier": "db"], maxDisrupted: 2)
        var cell = Cell(hosts: 3, budgets: [budget])
        for name in ["v1", "v2", "v3"] { try cell.run(name, labels: ["tier": "db"]) }
        try cell.run("web", labels: ["tier": "web"])
        let all = cell.decide()
        #expect(all.releases.count == 3)
        #expect(all.blocked.map { "\($0.name) \($0.reason)" } == ["v3 budgetExhausted"])
        try cell.run("sick", on: 1, labels: ["tier": "db"])
        let sick = try #require(cell.model.allocations(on: cell.hosts[1].id).first)
        var starting = sick
        starting.state = .reserved
        cell.model.put(allocation: starting)
        let fewer = cell.decide()
        #expect(fewer.releases.count == 2)
        #expect(fewer.blocked.map(\.name) == ["v2", "v3"])
    }

    @Test("outside of its window a drain waits, unless it is forced or its deadline stops")
    func windows() throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1")
        let opens = Self.now.advanced(by: .seconds(3600))
        let closed = cell.decide { $0.opening = .closed(until: opens) }
        #expect(closed.releases.isEmpty && closed.isClosed && closed.opensAt == opens)
        #expect(closed.moves.count == 1)
        #expect(closed.sentence("h1") == "1 left; the maintenance window opens at \(opens)")
        let forced = cell.decide {
            $0.opening = .closed(until: opens)
            $0.drain.force = true
        }
        #expect(forced.releases.count == 1 && !forced.isClosed)
        #expect(cell.decide { $0.opening = .closed(until: nil) }.sentence("h1").contains("never opens"))
    }

    @Test("an empty host is drained, and quarantined parts are left alone")
    func empty() throws {
        var cell = Cell(hosts: 2)
        #expect(cell.decide().sentence("h1") == "host h1 is empty")
        try cell.run("v1")
        var found = try #require(cell.model.allocations(on: cell.hosts[0].id).first)
        found.quarantined = true
        cell.model.put(allocation: found)
        let decision = cell.decide()
        #expect(decision.left == 1 && decision.releases.isEmpty && decision.blocked.isEmpty)
    }
}
