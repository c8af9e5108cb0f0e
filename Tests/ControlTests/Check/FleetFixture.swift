import AgentProtocol
import Fleet
import Store
import Testing

@testable import Control

/// A fleet that lived a while on a store in memory, with the journals that its shims would have written.
struct FleetFixture {
    static let hosts = (1...5).map { "h\($0)" }

    let store: MemoryStore
    let clock = FixtureClock()
    let ids = CountedIDs()
    var random: FixtureGenerator
    var journals: [JournalEntry] = []
    var observations: [HostObservation] = []
    var session: ID<AgentSession>
    var lease = CellLease(cell: "a", token: 0)
    var incarnation = 0
    var sequence = 0
    var serial = 0

    static let context = WriteContext(actor: "user/ann", verb: "create")

    init(seed: UInt64) async throws {
        random = FixtureGenerator(seed: seed)
        let clock = clock
        store = MemoryStore(now: { clock.now }, pause: { _ in })
        session = ids.id()
        try await build()
    }

    /// A valid snapshot: a few workloads in known states beside random life.
    static func snapshot(seed: UInt64, steps: Int = 120) async throws -> FleetSnapshot {
        var fixture = try await FleetFixture(seed: seed)
        try await fixture.placeKnown()
        for step in 0..<steps {
            try await fixture.live()
            if step % 20 == 0 { try await fixture.observe() }
        }
        return try await FleetSnapshot.load(
            from: fixture.store, journals: fixture.journals, observations: fixture.observations)
    }

    private mutating func build() async throws {
        try await create(.cell, "a", "{}")
        try await create(.pool, "p", #"{"cell":"a","admits":["vm"],"cpuRatioPerMille":1500}"#)
        try await create(.project, "team", #"{"quota":{"milliCPU":400000}}"#)
        try await store.createJoinToken(
            JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
            context: Self.context)
        session = try await store.join(
            JoinSpending(
                tokenHash: "t", session: session, name: "s", substrate: "simulated", hosts: Self.hosts,
                credentialHash: "c"))
        try await begin()
    }

    /// The session says hello and the cell's lease is taken, as at the beginning of every epoch.
    mutating func begin() async throws {
        let hosts = Self.hosts.map { name in
            HostHello(
                name: name,
                inventory: HostInventory(
                    capacity: Resources(milliCPU: 32_000, memoryMiB: 131_072),
                    reserved: Resources(milliCPU: 1000, memoryMiB: 1024),
                    devices: (0..<4).map { Device(uuid: "\(name)-\($0)", model: "H100", memoryMiB: 80) },
                    substrate: "simulated"), generation: nil, parts: [])
        }
        incarnation = try await store.hello(
            SessionHello(session: session, hosts: hosts, ids: ids, terms: .standard)
        ).incarnation
        sequence = 0
        lease = try #require(
            try await store.acquireLease(cell: "a", holder: "c1", duration: .seconds(1_000_000)))
    }

    /// Workloads that random life leaves alone.
    private mutating func placeKnown() async throws {
        let device = try await place("fixed-device", on: "h1", devices: ["h1-0"])
        try await run(device)
        try await run(try await place("fixed-guaranteed", on: "h2", class: .guaranteed))
        let ended = try await place("fixed-ended", on: "h3")
        try await run(ended)
        clock.advance(4)
        try await stop(ended)
        _ = try await place("fixed-reserved", on: "h4")
        let doomed = try await place("fixed-doomed", on: "h5")
        try await run(doomed)
        _ = try await store.delete(
            .vm, project: "team", name: "fixed-doomed", precondition: .none, context: Self.context)
        try await create(.vm, "fixed-idle", "{}", project: "team")
        let group = #"{"replicas":1,"template":{"spec":{}}}"#
        try await create(.vmGroup, "fixed-group", group, project: "team", held: true)
        try await create(.vm, "fixed-gone", "{}", project: "team")
        _ = try await store.delete(
            .vm, project: "team", name: "fixed-gone", precondition: .none, context: Self.context)
        try await appear("fixed-found", on: "h1")
    }

    mutating func observe() async throws {
        observations += try await store.hosts(.all).map { HostObservation($0, epoch: 1) }
    }
}

// MARK: What happens in a fleet

extension FleetFixture {
    @discardableResult
    func create(_ kind: Kind, _ name: String, _ spec: String, project: String? = nil, held: Bool = false)
        async throws -> Resource
    {
        let draft = DocumentDraft(
            uid: ids.id(), kind: kind, project: project, name: name,
            finalizers: held ? [Finalizer.allocations] : [], spec: spec)
        return try #require(try await store.create([draft], context: Self.context).first)
    }

    mutating func place(
        _ name: String, on host: String, devices: [String] = [], class: WorkloadClass = .standard
    ) async throws -> Allocation {
        let vm = try await create(.vm, name, "{}", project: "team", held: true)
        let row = try #require(try await store.hosts(.all).first { $0.name == host })
        let allocation = Allocation(
            id: ids.id(),
            workload: WorkloadReference(
                kind: .vm, uid: vm.metadata.uid, project: "team", name: name, part: "vm"),
            cell: "a", host: row.id, class: `class`, resources: Resources(milliCPU: 2000, memoryMiB: 2048),
            devices: devices, onPartition: .keep, createdAt: clock.now)
        let directive = AllocateDirective(
            allocation: allocation, workloadGeneration: 1, hostGeneration: row.generation, message: "placed")
        try await commit([.allocate(directive)])
        return allocation
    }

    func commit(_ directives: [Directive]) async throws {
        let plan = Plan(
            id: ids.id(), cell: "a", engine: .vmPlacement,
            parent: try await store.planHead(cell: "a", engine: .vmPlacement), inputsHash: "", seed: 1,
            groups: directives.map { DirectiveGroup([$0]) },
            report: PlanReport(policy: "", hosts: 0, placed: 0, unplaced: []), createdAt: clock.now)
        _ = try await store.commit(LedgerCommit(lease: lease, plan: plan, statuses: [:]))
    }

    mutating func journal(_ allocation: Allocation, _ event: JournalEntry.Event) async throws {
        let host = try #require(try await store.hosts(.ids([allocation.host])).first)
        journals.append(
            JournalEntry(
                at: clock.now, host: host.id, allocation: allocation.id, workload: allocation.workload.uid,
                part: allocation.workload.part, event: event,
                generation: Generation(epoch: 1, number: host.assignment)))
    }

    mutating func report(
        _ id: ID<Allocation>, on host: ID<Document>, _ state: PartReport.State,
        directive: PartDirective? = nil
    ) async throws {
        sequence += 1
        let name = try #require(try await store.hosts(.ids([host])).first).name
        let part = PartReport(
            host: name, allocation: id, generation: Generation(epoch: 1, number: 1), state: state,
            directive: directive)
        _ = try await store.report(
            SessionReport(
                session: session, incarnation: incarnation, sequence: sequence, parts: [part], unreachable: []
            ))
    }

    mutating func run(_ allocation: Allocation) async throws {
        try await journal(allocation, .start)
        try await report(allocation.id, on: allocation.host, .running)
    }

    mutating func stop(_ allocation: Allocation, _ state: PartReport.State = .stopped) async throws {
        try await journal(allocation, .stop)
        try await report(allocation.id, on: allocation.host, state)
    }

    /// Something runs that the ledger does not know.
    mutating func appear(_ name: String, on host: String) async throws {
        let row = try #require(try await store.hosts(.all).first { $0.name == host })
        let workload = WorkloadReference(kind: .vm, uid: ids.id(), project: "team", name: name, part: "vm")
        let directive = PartDirective(
            allocation: ids.id(), workload: workload, action: .run,
            resources: Resources(milliCPU: 1000, memoryMiB: 512), devices: [], onPartition: .keep)
        journals.append(
            JournalEntry(
                at: clock.now, host: row.id, allocation: directive.allocation, workload: workload.uid,
                part: "vm", event: .start, generation: Generation(epoch: 1, number: row.assignment)))
        try await report(directive.allocation, on: row.id, .running, directive: directive)
    }

    /// One random thing.
    mutating func live() async throws {
        clock.advance(1)
        let others = try await store.allocations(.live).filter { !$0.workload.name.hasPrefix("fixed-") }
        let one = others.randomElement(using: &random)
        serial += 1
        switch (Int.random(in: 0..<10, using: &random), one) {
        case (0..<4, _), (_, nil):
            let host = Self.hosts.randomElement(using: &random) ?? "h1"
            let device = "\(host)-\(Int.random(in: 1..<4, using: &random))"
            let vmClass = WorkloadClass.allCases.randomElement(using: &random) ?? .standard
            let devices = Bool.random(using: &random) ? [device] : []
            _ = try await place("v\(serial)", on: host, devices: devices, class: vmClass)
        case (4..<6, let one?):
            if one.state == .reserved { try await run(one) }
        case (6..<8, let one?):
            if one.state == .active || one.state == .releasing {
                try await stop(one, Bool.random(using: &random) ? .stopped : .failed)
            }
        case (8, let one?):
            try await commit([
                .release(ReleaseDirective(allocation: one.id, reason: .stopping, message: "stop"))
            ])
        case (_, let one?):
            _ = try? await store.delete(  // why: its workload may be gone, or marked before.
                .vm, project: "team", name: one.workload.name, precondition: .none, context: Self.context)
            _ = try await store.finalize([one.workload.uid], lease: lease)
        }
    }
}
