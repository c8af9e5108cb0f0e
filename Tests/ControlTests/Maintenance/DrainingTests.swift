import Fleet
import Store
import Testing
import VMPlacement

@testable import Control

@Suite("Draining a host")
struct DrainingTests {
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
                generation: 1, revision: 1, resourceVersion: "1.1.1", createdAt: DrainingTests.now,
                deletionTimestamp: nil, finalizers: [])
            let vm = try VMRecord(Resource(kind: .vm, metadata: metadata, spec: spec, status: "{}"))
            model.put(vm: vm)
            model.put(
                allocation: Allocation(
                    id: ids.id(), workload: vm.reference, cell: "a", host: hosts[host].id, class: .standard,
                    resources: resources, state: .active, createdAt: DrainingTests.now))
        }

        /// Reserves `h2` for a VM of `h1`, as a plan would.
        @discardableResult
        mutating func migrate(_ name: String) throws -> ID<Allocation> {
            let source = try #require(
                model.allocations(on: hosts[0].id).first { $0.workload.name == name })
            var target = source
            target.id = ids.id()
            target.host = hosts[1].id
            target.state = .reserved
            target.arrival = MigrationArrival(migration: ids.id(), standsBy: true)
            model.begin(
                MigrateDirective(
                    allocation: target, from: source.id, workloadGeneration: 1, hostGeneration: 1,
                    message: ""))
            return target.id
        }

        /// What a round makes of `h1`.
        func decide(_ edit: (inout DrainTerms) -> Void = { _ in }) throws -> Outcome {
            var terms = DrainTerms(
                rules: model.pools["p"]?.migrations ?? MigrationRules(slotsPerHost: 8), now: DrainingTests.now
            )
            edit(&terms)
            var planner = DrainPlanner()
            let round = model.drainRound([(hosts[0], terms)], planner: &planner, clock: FleetClock())
            let decision = try #require(round.decisions[hosts[0].id])
            return Outcome(decision: decision, state: DrainState(decision, terms: terms))
        }

        func preview(_ spec: HostSpec = HostSpec(cell: "a", pool: "p")) -> DrainPreview {
            model.drainPreview(host: hosts[0], spec: spec, clock: FleetClock(), now: DrainingTests.now)
        }
    }

    private struct Outcome {
        var decision: DrainDecision
        var state: DrainState

        var targets: [String] { decision.moves.map(\.target.hostName) }
        var blocked: [DrainPreview.Blocked] { decision.blocked }
        /// Names of the VMs that begin to move.
        var begins: [String] { decision.beginning.map(\.vm.workload.name) }
    }

    @Test("what fits elsewhere moves, the rest stays with the nearest fix")
    func room() throws {
        var cell = Cell(hosts: 2)
        try cell.run("other", on: 1, milliCPU: 5000)
        for name in ["v1", "v2", "v3", "v4"] { try cell.run(name) }
        let outcome = try cell.decide()
        #expect(outcome.targets == ["h2", "h2", "h2"] && outcome.begins.count == 3)
        #expect(outcome.blocked.map(\.reason) == [.noHostFits] && outcome.state.left == 4)
        #expect(outcome.blocked.first?.nearestFix?.contains("1 vCPU more on host h2") == true)
        #expect(outcome.state.sentence("h1").contains("1 cannot go, such as team/v4: NoHostFits"))
    }

    @Test("the host itself is never a target, not even before it drains, and neither is another that drains")
    func itself() throws {
        var cell = Cell(hosts: 2)
        cell.hosts[0].draining = false
        cell.hosts[1].draining = true
        for host in cell.hosts { cell.model.put(host: host) }
        try cell.run("v1")
        let preview = cell.preview()
        #expect(preview.moves.isEmpty && preview.blocked.map(\.name) == ["v1"])
    }

    @Test("a preview says what the cell is like before and after, and why each VM goes when it goes")
    func preview() throws {
        var cell = Cell(hosts: 3)
        try cell.run("other", on: 1, milliCPU: 4000)
        for name in ["v1", "v2"] { try cell.run(name) }
        let preview = cell.preview()
        #expect(preview.before?.emptyHosts == 1 && preview.after?.emptyHosts == 2)
        #expect(preview.before?.hosts == 3 && preview.after?.hosts == 3)
        #expect(preview.moves.map(\.to) == ["h2", "h2"])
        #expect(preview.moves.first?.reason?.hasPrefix("oldest first: started ") == true)
        #expect(preview.moves.first?.turnSeconds == 0)
    }

    @Test(
        "an owner's wish holds until a deadline that stops",
        arguments: [
            (CellModel.doNotDisrupt, Reason.doNotDisrupt), (CellModel.doNotMigrate, .doNotMigrate),
        ])
    func pins(_ key: String, _ reason: Reason) throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1", annotations: [key: "true"])
        #expect(try cell.decide().blocked.map(\.reason) == [reason])
        let past = Self.now.advanced(by: .seconds(-1))
        let waits = try cell.decide { $0.drain = DrainSpec(deadline: past) }
        #expect(waits.begins.isEmpty && waits.state.isPastDeadline)
        #expect(waits.state.sentence("h1").hasPrefix("1 left; the deadline has passed"))
        let moves = try cell.decide { $0.drain = DrainSpec(deadline: past, atDeadline: .stop) }
        #expect(moves.begins == ["v1"] && moves.blocked.isEmpty)
        let early = Self.now.advanced(by: .seconds(1))
        #expect(try cell.decide { $0.drain = DrainSpec(deadline: early, atDeadline: .stop) }.begins.isEmpty)
    }

    @Test("what can go nowhere stops at a deadline that says so")
    func deadline() throws {
        var cell = Cell(hosts: 1)
        try cell.run("v1")
        let past = Self.now.advanced(by: .seconds(-1))
        let stops = try cell.decide { $0.drain = DrainSpec(deadline: past, atDeadline: .stop) }
        #expect(stops.decision.stops.count == 1 && stops.blocked.isEmpty)
        #expect(try cell.decide { $0.drain = DrainSpec(deadline: past) }.decision.stops.isEmpty)
    }

    @Test("no more move at once than the drain and the pool say, those under way included")
    func parallel() throws {
        var cell = Cell(hosts: 2)
        for name in ["v1", "v2", "v3", "v4"] { try cell.run(name) }
        #expect(try cell.decide { $0.rules = MigrationRules() }.begins.count == 3)
        #expect(try cell.decide { $0.drain.maxParallel = 1 }.begins.count == 1)
        #expect(try cell.decide { $0.drain.maxParallel = 1 }.targets.count == 4)
        let rules = MigrationRules(slotsPerHost: 4, slotsPerPool: 2)
        #expect(try cell.decide { $0.rules = rules }.begins.count == 2)
        try cell.migrate("v1")
        #expect(try cell.decide { $0.rules = rules }.begins == ["v2"])
        #expect(try cell.decide { $0.drain.maxParallel = 1 }.begins.isEmpty)
    }

    @Test("a due drain waits for natural exits while there is slack")
    func due() throws {
        var cell = Cell(hosts: 2)
        for name in ["v1", "v2", "v3", "v4", "v5", "v6"] { try cell.run(name) }
        let due = Self.now.advanced(by: .seconds(3600))
        // Six moves of 20 min in three slots take 40 min.
        let waits = try cell.decide {
            $0.drain.due = due
            $0.rules = MigrationRules()
        }
        #expect(waits.begins.isEmpty && waits.state.waitsUntil == Self.now.advanced(by: .seconds(1200)))
        #expect(waits.targets.count == 6 && waits.state.condition.1 == .waitingForExits)
        #expect(waits.state.sentence("h1").contains("left to end by themselves until"))
        let late = try cell.decide {
            $0.drain.due = due
            $0.rules = MigrationRules()
            $0.now = Self.now.advanced(by: .seconds(1200))
        }
        #expect(late.begins.count == 3 && late.state.waitsUntil == nil)
    }

    @Test("what moved lately is left alone by a defragmentation, not by a person")
    func coolDown() throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1")
        var moved = try #require(cell.model.allocations(on: cell.hosts[0].id).first)
        moved.arrival = MigrationArrival(migration: cell.ids.id(), standsBy: false)
        cell.model.put(allocation: moved)
        #expect(try cell.decide().begins == ["v1"])
        #expect(
            try cell.decide { $0.drain.purpose = .defragmentation }.blocked.map(\.reason) == [.coolingDown])
        let later = try cell.decide {
            $0.drain.purpose = .defragmentation
            $0.now = Self.now.advanced(by: .seconds(86_400))
        }
        #expect(later.begins == ["v1"])
    }

    @Test("a budget counts what is down or on its way already, by project and labels")
    func budgets() throws {
        let budget = DisruptionBudget(project: "team", selector: ["tier": "db"], maxDisrupted: 2)
        var cell = Cell(hosts: 3, budgets: [budget])
        for name in ["v1", "v2", "v3"] { try cell.run(name, labels: ["tier": "db"]) }
        try cell.run("web", labels: ["tier": "web"])
        let all = try cell.decide()
        #expect(all.begins.count == 3)
        #expect(all.blocked.map { "\($0.name) \($0.reason)" } == ["v3 budgetExhausted"])
        try cell.run("sick", on: 1, labels: ["tier": "db"])
        let sick = try #require(cell.model.allocations(on: cell.hosts[1].id).first)
        var starting = sick
        starting.state = .reserved
        cell.model.put(allocation: starting)
        let fewer = try cell.decide()
        #expect(fewer.begins.count == 2)
        #expect(fewer.blocked.map(\.name) == ["v2", "v3"])
        try cell.migrate("v1")
        #expect(try cell.decide().begins == ["web"])
    }

    @Test("outside of its window a drain waits, unless it is forced or its deadline stops")
    func windows() throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1")
        let opens = Self.now.advanced(by: .seconds(3600))
        let closed = try cell.decide { $0.opening = .closed(until: opens) }
        #expect(closed.begins.isEmpty && closed.state.isClosed && closed.state.opensAt == opens)
        #expect(closed.targets.count == 1)
        #expect(closed.state.sentence("h1") == "1 left; the maintenance window opens at \(opens)")
        let forced = try cell.decide {
            $0.opening = .closed(until: opens)
            $0.drain.force = true
        }
        #expect(forced.begins.count == 1 && !forced.state.isClosed)
        #expect(
            try cell.decide { $0.opening = .closed(until: nil) }.state.sentence("h1").contains("never opens"))
    }

    @Test("an empty host is drained, and quarantined parts are left alone")
    func empty() throws {
        var cell = Cell(hosts: 2)
        #expect(try cell.decide().state.sentence("h1") == "host h1 is empty")
        try cell.run("v1")
        var found = try #require(cell.model.allocations(on: cell.hosts[0].id).first)
        found.quarantined = true
        cell.model.put(allocation: found)
        let outcome = try cell.decide()
        #expect(outcome.state.left == 1 && outcome.targets.isEmpty && outcome.blocked.isEmpty)
    }

    @Test("a reservation goes on to a stop, waits for it, or is taken back")
    func fates() throws {
        var cell = Cell(hosts: 2)
        try cell.run("v1")
        let target = try cell.migrate("v1")
        func fate(_ edit: (inout Cell) -> Void = { _ in }) -> StandbyFate {
            var copy = cell
            edit(&copy)
            return copy.model.fate(ofStandby: target)
        }
        guard case .stop(let directive) = fate() else {
            Issue.record("it does not go on")
            return
        }
        #expect(cell.model.allocations[directive.allocation]?.departure != nil)
        #expect(cell.model.writer(of: directive.workload(in: cell.model))?.id == directive.allocation)
        for (host, edit) in [
            (1, { $0.contact = .suspect }), (1, { $0.draining = true }), (1, { $0.cordoned = true }),
            (0, { $0.draining = false }), (0, { $0.contact = .suspect }),
        ] as [(Int, (inout HostRecord) -> Void)] {
            let outcome = fate { copy in
                edit(&copy.hosts[host])
                copy.model.put(host: copy.hosts[host])
            }
            guard case .cancel(let why) = outcome, why.hasSuffix("it stays where it is") else {
                Issue.record("host \(host + 1): \(outcome)")
                continue
            }
        }
        func stopping(_ edit: (inout HostRecord) -> Void) -> StandbyFate {
            fate { copy in
                guard var source = copy.model.allocations[directive.allocation] else { return }
                source.state = .releasing
                copy.model.put(allocation: source)
                edit(&copy.hosts[1])
                copy.model.put(host: copy.hosts[1])
            }
        }
        guard case .wait = stopping({ $0.contact = .suspect }) else {
            Issue.record("a short silence takes it back")
            return
        }
        guard case .cancel = stopping({ $0.contact = .fenced }) else {
            Issue.record("it waits for a target that is gone")
            return
        }
    }

    @Test("a defragmentation empties hosts onto others in use, and opens none")
    func defragmentation() throws {
        var cell = Cell(hosts: 4)
        cell.hosts[0].draining = false
        cell.model.put(host: cell.hosts[0])
        try cell.run("a", on: 0, milliCPU: 1000)
        try cell.run("b", on: 1, milliCPU: 5000)
        try cell.run("c", on: 2, milliCPU: 7500)
        let preview = cell.model.defragmentationPreview(
            pool: "p", looked: 8, clock: FleetClock(), now: Self.now)
        #expect(preview.hosts.map(\.host) == [] && preview.message == "enough hosts are empty")
        cell.model.put(
            pool: "p",
            PoolSpec(
                cell: "a", admits: [.vm],
                defragmentation: DefragmentationRules(targetEmptyPerMille: 500, marginPerMille: 0)))
        let more = cell.model.defragmentationPreview(
            pool: "p", looked: 8, clock: FleetClock(), now: Self.now)
        #expect(more.hosts.map(\.host) == ["h1"] && more.hosts.first?.moves.map(\.to) == ["h2"])
        #expect(more.before.emptyHosts == 1 && more.after.emptyHosts == 2)
        cell.model.put(
            pool: "p",
            PoolSpec(
                cell: "a", admits: [.vm],
                defragmentation: DefragmentationRules(
                    targetEmptyPerMille: 1000, marginPerMille: 0, maxDrainingPerMille: 1000)))
        // b and c fit on no host in use but h1, whose VM goes first and is left alone where it arrives.
        let all = cell.model.defragmentationPreview(
            pool: "p", looked: 8, clock: FleetClock(), now: Self.now)
        #expect(all.hosts.map(\.host) == ["h1"])
    }
}

extension ReleaseDirective {
    fileprivate func workload(in model: CellModel) -> ID<Document> {
        model.allocations[allocation]?.workload.uid ?? .zero
    }
}
