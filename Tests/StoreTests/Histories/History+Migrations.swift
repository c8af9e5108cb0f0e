import Fleet
import Store

extension History {
    /// Starts migrations, or takes some back.
    mutating func migrate(seeing store: any Store) async throws -> Operation {
        let live = try await store.allocations(.live)
        let token = try await store.leases().first { $0.lease.cell == "a" }?.lease.token ?? 1
        let lease = CellLease(cell: "a", token: token)
        if once(in: 4) {
            let chosen = [pick(live.filter(\.isStandby))?.id, pick(live)?.id].compactMap(\.self)
            return Operation("cancelMigrations of \(chosen.count) in \(lease)") { harness in
                try await harness.store.cancelMigrations(
                    chosen, message: "taken back", source: "hosts", lease: lease
                ).map(\.description).joined(separator: " ")
            }
        }
        let hosts = try await store.hosts(.all).sorted { $0.name < $1.name }
        let vms = try await store.list(ListQuery(kind: .vm, limit: 100)).documents
        var sources: Set<ID<Allocation>> = []
        var groups: [DirectiveGroup] = []
        for _ in 0..<number(1..<4) {
            guard let source = pick(live), sources.insert(source.id).inserted, let host = pick(hosts) else {
                continue
            }
            let vm = vms.first { $0.metadata.uid == source.workload.uid }
            var directives = [Directive.migrate(move(source, to: host, generation: vm?.metadata.generation))]
            if once(in: 5), let other = pick(live), sources.insert(other.id).inserted {
                directives.append(
                    .release(ReleaseDirective(allocation: other.id, reason: .stopping, message: "stop")))
            }
            groups.append(DirectiveGroup(directives))
        }
        let head = try await store.planHead(cell: "a", engine: .hostMaintenance)
        let plan = Plan(
            id: ids.id(), cell: "a", engine: .hostMaintenance, parent: head, inputsHash: "i", seed: 1,
            groups: groups,
            report: PlanReport(policy: "drain", hosts: hosts.count, placed: 0, unplaced: []),
            createdAt: Scene.start)
        let commit = LedgerCommit(lease: lease, plan: plan, statuses: [:])
        return Operation("migrate in \(groups.count) groups in \(lease)") { harness in
            let names = try await CanonicalDump.hostNames(harness.store)
            return try await harness.store.commit(commit).refusals
                .map { "\($0.group) \($0.reason) \($0.host.flatMap { names[$0] } ?? "-")" }
                .joined(separator: ", ")
        }
    }

    private mutating func move(
        _ source: Allocation, to host: HostRecord, generation: Int?
    ) -> MigrateDirective {
        let id: ID<Allocation> = ids.id()
        allocations.append(id)
        var target = source
        target.id = id
        target.host = host.id
        target.devices = once(in: 3) ? pick(host.devices).map { [$0.uuid] } ?? [] : []
        target.departure = nil
        target.arrival = MigrationArrival(migration: ids.id(), standsBy: true)
        return MigrateDirective(
            allocation: target, from: source.id,
            workloadGeneration: (generation ?? 1) + (once(in: 20) ? 1 : 0),
            hostGeneration: host.generation, message: "moves")
    }
}
