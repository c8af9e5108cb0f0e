import AgentProtocol
import Fleet
import Store
import Testing

extension Scene {
    func lease(_ cell: String = "a", holder: String = "c1", seconds: Double = 3600) async throws -> CellLease
    {
        try #require(
            try await store.acquireLease(
                cell: cell, holder: holder, duration: .microseconds(Int64(seconds * 1_000_000))))
    }

    func host(_ name: String = "h1") async throws -> HostRecord {
        try #require(try await store.hosts(.all).first { $0.name == name })
    }

    func allocation(_ id: ID<Allocation>) async throws -> Allocation {
        try #require(try await store.allocations(.ids([id])).first)
    }

    /// Takes capacity for the one part of a VM, as a planner that sees the present state would.
    func allocate(
        _ vm: Resource, on host: HostRecord, milliCPU: Int = 1000, memoryMiB: Int = 1024,
        devices: [String] = [], class: WorkloadClass = .standard, onPartition: PartitionPolicy = .keep
    ) -> AllocateDirective {
        let workload = WorkloadReference(
            kind: .vm, uid: vm.metadata.uid, project: vm.metadata.project ?? "", name: vm.metadata.name,
            part: "vm")
        let allocation = Allocation(
            id: ids.id(), workload: workload, cell: host.cell, host: host.id, class: `class`,
            resources: Resources(milliCPU: milliCPU, memoryMiB: memoryMiB), devices: devices,
            onPartition: onPartition, createdAt: Self.start)
        return AllocateDirective(
            allocation: allocation, workloadGeneration: vm.metadata.generation,
            hostGeneration: host.generation, message: "on \(host.name)")
    }

    func release(_ id: ID<Allocation>, _ reason: Reason = .stopping) -> Directive {
        .release(ReleaseDirective(allocation: id, reason: reason, message: "asked to stop"))
    }

    /// Commits groups on top of the last plan.
    @discardableResult
    func commit(
        _ groups: [[Directive]], lease: CellLease, statuses: [ID<Document>: String] = [:]
    ) async throws -> CommitOutcome {
        try await store.commit(try await planned(groups, lease: lease, statuses: statuses))
    }

    func planned(
        _ groups: [[Directive]], lease: CellLease, statuses: [ID<Document>: String] = [:]
    ) async throws -> LedgerCommit {
        let parent = try await store.planHead(cell: lease.cell, engine: .vmPlacement)
        let plan = Plan(
            id: ids.id(), cell: lease.cell, engine: .vmPlacement, parent: parent, inputsHash: "i", seed: 7,
            groups: groups.map { DirectiveGroup($0) },
            report: PlanReport(policy: "best-fit", hosts: 1, placed: groups.count, unplaced: []),
            createdAt: Self.start)
        return LedgerCommit(lease: lease, plan: plan, statuses: statuses)
    }

    /// Creates a VM and places it.
    @discardableResult
    func place(
        _ name: String, on host: String = "h1", lease: CellLease, milliCPU: Int = 1000, memoryMiB: Int = 1024,
        devices: [String] = [], class: WorkloadClass = .standard, onPartition: PartitionPolicy = .keep
    ) async throws -> Allocation {
        let directive = allocate(
            try await createVM(name), on: try await self.host(host), milliCPU: milliCPU, memoryMiB: memoryMiB,
            devices: devices, class: `class`, onPartition: onPartition)
        let outcome = try await commit([[.allocate(directive)]], lease: lease)
        try #require(outcome.refusals.isEmpty)
        return try await allocation(directive.allocation.id)
    }

    func usage(_ resource: QuotaRecord.Resource, project: String = "team") async throws -> Int? {
        try await store.quotas().first { $0.project == project && $0.resource == resource }?.used
    }
}
