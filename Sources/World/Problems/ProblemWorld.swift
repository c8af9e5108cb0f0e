internal import FaultLab
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// A simulated world as the place of one session.
///
/// What an agent writes goes through the documents and the processes of the world; what it reads is what
/// monitoring, events and logs say. Time goes on only in `pass`, in ticks.
final class ProblemWorld: ProblemGround {
    /// Between two looks at what is to be done by the way.
    private static let tick = 5
    /// A lease of a fault that is renewed: what a process or a machine suffers ends no later.
    static let renewedLease = Duration.seconds(25)

    let world: World
    let problem: Problem
    var monitor = FleetMonitor()
    /// In effect, by their ids.
    var active: [Int: ActiveFault] = [:]
    /// Removed by the agent.
    var lost: [String] = []
    /// Specifications as they were before anything was done.
    var former: [String: String] = [:]
    var memory: [String: Double] = [:]
    /// When VMs ended by themselves.
    var exits: [String: [Timestamp]] = [:]
    var startsFailed: [String: Timestamp] = [:]
    let surroundings: [String: [ComponentName]]
    /// What modelled parts logged.
    var said: [LogLine] = []
    var lastEvent: Int64 = 0
    var events: [EventLine] = []
    let judge: Judge
    /// What the agent writes goes through it.
    let door: FrontDoor
    /// Of what is done to the fleet beside the agent.
    let context = WriteContext(actor: "user/world", verb: "update")
    private var ticks = 0
    private var churned = 0
    private var noise: FaultRandom

    init(_ world: World, _ problem: Problem) {
        self.world = world
        self.problem = problem
        judge = Judge(world: world)
        door = FrontDoor(world)
        surroundings = Surroundings.components(world.configuration)
        noise = FaultRandom(seed: world.seed(for: "probes"))
    }

    var now: Timestamp { world.wall }

    /// A little, to tell a probe from the next.
    func flutter() -> Double { noise.nextUnit() }

    // MARK: Time

    func pass(_ duration: Duration) async {
        let end = world.now + duration
        while world.now < end {
            let step = min(end - world.now, .seconds(Self.tick))
            do { try await world.sleep(for: step) } catch { return }
            ticks += 1
            await live()
        }
    }

    /// What goes on beside the agent.
    private func live() async {
        renewFaults()
        await judgeDocuments()
        await crashVMs()
        if ticks % (FleetMonitor.step / Self.tick) == 0 {
            await hearEvents()
            monitor.take(await read(), at: now)
        }
        if ticks % 6 == 0 {
            sayModelled()
            await churn()
        }
    }

    // MARK: Before and after

    private struct NotWell: Error {}

    func settle() async throws -> FleetState {
        try await world.sleep(for: .seconds(30))
        try await found()
        await pass(.seconds(180))
        var state = await state()
        // Tenants and maintenance go on: a fleet is never all at rest, but soon.
        for _ in 0..<60 where !state.missing([.everythingRuns, .agentsReport]).isEmpty {
            await pass(.seconds(10))
            state = await self.state()
        }
        return state
    }

    /// Labels of hosts, and VMs that stay.
    private func found() async throws {
        try await door.open()
        world.spans.begin()
        let declared = ProblemFleet.declaredLabel
        for host in try await world.store.hosts(.all) {
            _ = try await world.store.update(
                .host, project: nil, name: host.name, precondition: .none, context: context
            ) { resource in
                resource.metadata.labels[declared.key] = declared.value
                resource.metadata.labels["slot"] = host.name
            }
            memory[host.name] = Self.size(host)
        }
        let drafts = try ProblemFleet.residents(world.configuration).map { name, cell in
            let spec = VMSpec(
                cell: cell, resources: Resources(milliCPU: 2000, memoryMiB: 8192),
                run: RunSpec(command: [ProblemFleet.declaredCommand]))
            return DocumentDraft(
                uid: ID(world.ids.next()), kind: .vm, project: "team", name: name,
                finalizers: [Finalizer.allocations], spec: try Workload.text(spec))
        }
        _ = try await world.store.create(drafts, context: context)
        for pool in try await world.store.all(.pool) { former[pool.metadata.name] = pool.spec }
    }

    static func size(_ host: HostRecord) -> Double {
        Double(host.room.total.memoryMiB) + 1e6 * Double(host.devices.count)
    }

    /// One VM on one host after another, for a short time: starts happen everywhere.
    private func churn() async {
        let machines = world.configuration.machines
        guard !world.conditions.store.isDown, !world.conditions.store.isReadOnly else { return }
        do {
            for vm in try await world.store.all(.vm)
            where vm.metadata.name.hasPrefix("task-") && vm.metadata.deletionTimestamp == nil {
                let age = now.since(vm.metadata.createdAt)
                guard age > .seconds(180), try Self.status(vm).state == .running else { continue }
                _ = try await world.store.delete(
                    .vm, project: "team", name: vm.metadata.name, precondition: .none, context: context)
            }
            // Two cells in turn, so that a fault is met soon.
            for offset in [0, machines.count / 2] {
                let host = machines[(churned + offset) % machines.count].host
                let spec = VMSpec(
                    cell: machines.first { $0.host == host }?.cell,
                    resources: Resources(milliCPU: 500, memoryMiB: 1024), hostSelector: ["slot": host])
                let draft = DocumentDraft(
                    uid: ID(world.ids.next()), kind: .vm, project: "team",
                    name: "task-\(host)-\(churned)-\(offset == 0 ? 0 : 1)",
                    finalizers: [Finalizer.allocations], spec: try Workload.text(spec))
                _ = try await world.store.create([draft], context: context)
            }
            churned += 1
        } catch {
            world.fail("tasks: \(error)")
        }
    }

    static func status(_ vm: Resource) throws -> VMStatus {
        guard vm.status != "{}" else { return VMStatus() }
        return try JSONDecoder().decode(VMStatus.self, from: Data(vm.status.utf8))
    }

    // MARK: Judgement

    func state() async -> FleetState {
        await judgeDocuments()
        await judge.check()
        let violations = world.verdict.withLock { $0.violations }
        var state = FleetState(
            faultsInEffect: active.count, lost: lost,
            violations: violations.map {
                InvariantViolation(
                    invariant: Int($0.invariant.split(separator: " ").last ?? "") ?? 0, subject: $0.subject,
                    message: $0.message)
            })
        do {
            let hosts = try await world.store.hosts(.all)
            let closed = Set(hosts.filter { $0.cordoned || $0.draining }.map(\.name))
            for vm in try await world.store.all(.vm) where vm.metadata.deletionTimestamp == nil {
                // What was just asked for is on its way; what belongs to a host in maintenance waits for it.
                guard now.since(vm.metadata.createdAt) > .seconds(90), try Self.status(vm).state != .running,
                    !closed.contains(where: { vm.metadata.name.hasPrefix("task-\($0)-") })
                else { continue }
                let status = try Self.status(vm)
                let place = status.host.map { " on \($0)" } ?? ""
                let reason = status.conditions.last.map { ", \($0.reason.rawValue): \($0.message)" } ?? ""
                state.notRunning.append("\(vm.metadata.name) is \(status.state.rawValue)\(place)\(reason)")
            }
            state.silentAgents = hosts.filter { $0.contact != .ready }.map(\.name)
            let targets = Set(active.values.flatMap(\.hosts))
            let ids = hosts.filter { targets.contains($0.name) }.map(\.id)
            state.partsOnTargets = try await world.store.allocations(.hosts(ids)).count
        } catch {
            state.notRunning.append("unknown: \(error)")
        }
        return state
    }

    /// Each fault is seen when an alert fires of what it is done to.
    func showsEffect() async -> Bool {
        let names = monitor.alerts.map(\.component.names)
        let components = Set(monitor.alerts.map(\.component))
        return active.values.allSatisfy { fault in
            if fault.model != nil { return !components.isDisjoint(with: shown(by: fault)) }
            let own = Set(fault.hosts + [fault.fault.target.name])
            return names.contains { !$0.isDisjoint(with: own) }
        }
    }

    func recover() async -> [String] {
        for fault in active.values.sorted(by: { $0.fault.id < $1.fault.id }) { await end(fault) }
        world.revertAll()
        return world.running.withLock { $0.values.map { "\($0.kind) \($0.target)" }.sorted() }
    }
}
