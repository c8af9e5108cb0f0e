import AgentProtocol
import Fleet
import Store

extension History {
    mutating func leaseCall(_ leases: [CellLeaseRecord]) -> Operation {
        let cell = once(in: 4) ? "b" : "a"
        let known = leases.first { $0.lease.cell == cell }?.lease
        let lease = known ?? CellLease(cell: cell, token: 99)
        let holder = once(in: 10) ? "c2" : "c1"
        switch number(0..<20) {
        case 0:
            return Operation("releaseLease \(lease)") {
                try await $0.store.releaseLease(lease)
                return ""
            }
        case 1..<8:
            return Operation("renewLease \(lease)") {
                "\(try await $0.store.renewLease(lease, duration: .seconds(150)))"
            }
        default:
            return Operation("acquireLease \(cell) \(holder)") {
                let taken = try await $0.store.acquireLease(
                    cell: cell, holder: holder, duration: .seconds(150))
                return "\(taken.map { "\($0.token)" } ?? "none")"
            }
        }
    }

    /// The lease in force of a cell, now and then a wrong one.
    private mutating func lease(seeing store: any Store) async throws -> CellLease {
        let cell = once(in: 8) ? "b" : "a"
        let token = try await store.leases().first { $0.lease.cell == cell }?.lease.token ?? 1
        return CellLease(cell: cell, token: once(in: 30) ? token - 1 : token)
    }

    mutating func commit(seeing store: any Store) async throws -> Operation {
        let lease = try await lease(seeing: store)
        let vms = try await store.list(ListQuery(kind: .vm, limit: 100)).documents
        let hosts = try await store.hosts(.all).sorted { $0.name < $1.name }
        let live = try await store.allocations(.live)
        var groups: [DirectiveGroup] = []
        var statuses: [ID<Document>: String] = [:]
        for _ in 0..<number(0..<4) {
            var directives: [Directive] = []
            for _ in 0..<number(1..<3) {
                if once(in: 4), let id = pick(live)?.id ?? pick(allocations) {
                    directives.append(
                        .release(ReleaseDirective(allocation: id, reason: .stopping, message: "stop")))
                } else if let vm = pick(vms), let host = pick(hosts) {
                    directives.append(.allocate(allocate(vm, on: host)))
                    statuses[vm.metadata.uid] = #"{"state":"Scheduled","restarts":\#(number(0..<3))}"#
                }
            }
            groups.append(DirectiveGroup(directives))
        }
        let head = try await store.planHead(cell: lease.cell, engine: .vmPlacement)
        let plan = Plan(
            id: ids.id(), cell: lease.cell, engine: .vmPlacement, parent: once(in: 30) ? nil : head,
            inputsHash: "i", seed: 1, groups: groups,
            report: PlanReport(policy: "best-fit", hosts: hosts.count, placed: groups.count, unplaced: []),
            createdAt: Scene.start)
        let commit = LedgerCommit(lease: lease, plan: plan, statuses: statuses)
        return Operation("commit of \(groups.count) groups in \(lease)") { harness in
            let names = try await CanonicalDump.hostNames(harness.store)
            return try await harness.store.commit(commit).refusals
                .map { "\($0.group) \($0.reason) \($0.host.flatMap { names[$0] } ?? "-")" }
                .joined(separator: ", ")
        }
    }

    private mutating func allocate(_ vm: Resource, on host: HostRecord) -> AllocateDirective {
        let id: ID<Allocation> = once(in: 15) ? pick(allocations) ?? ids.id() : ids.id()
        allocations.append(id)
        let devices = once(in: 3) ? pick(host.devices).map { [$0.uuid] } ?? [] : []
        let allocation = Allocation(
            id: id,
            workload: WorkloadReference(
                kind: .vm, uid: vm.metadata.uid, project: vm.metadata.project ?? "", name: vm.metadata.name,
                part: once(in: 8) ? "extra" : "vm"),
            cell: host.cell, host: host.id, class: pick(WorkloadClass.allCases) ?? .standard,
            resources: Resources(milliCPU: number(1..<9) * 1000, memoryMiB: number(1..<20) * 1024),
            devices: devices, onPartition: once(in: 2) ? .stop : .keep, createdAt: Scene.start)
        return AllocateDirective(
            allocation: allocation,
            workloadGeneration: vm.metadata.generation + (once(in: 30) ? 1 : 0),
            hostGeneration: host.generation + (once(in: 30) ? 1 : 0), message: "placed")
    }

    mutating func writeStatuses(seeing store: any Store) async throws -> Operation {
        let lease = try await lease(seeing: store)
        let vms = try await store.list(ListQuery(kind: .vm, limit: 100)).documents
        var targets: [(uid: ID<Document>, name: String, isStale: Bool)] = []
        for _ in 0..<number(1..<4) {
            if let vm = pick(vms) { targets.append((vm.metadata.uid, vm.metadata.name, once(in: 6))) }
        }
        let chosen = targets
        return Operation("writeStatuses of \(chosen.map(\.name))") { harness in
            // Versions are each store's own, so they are read from the store that is written.
            let known = try await harness.store.documents(.vm, uids: chosen.map(\.uid))
            let writes = chosen.enumerated().map { index, target in
                let version = known.first { $0.metadata.uid == target.uid }?.metadata.resourceVersion ?? ""
                return StatusWrite(
                    uid: target.uid, expected: target.isStale ? "0.0.0" : version,
                    status: #"{"state":"Pending","restarts":\#(index)}"#,
                    event: EventDraft(
                        kind: .vm, project: "team", name: target.name, uid: target.uid,
                        reason: .waitingForPlacement, message: "", source: "vms"))
            }
            try await harness.store.writeStatuses(writes, lease: lease)
            return ""
        }
    }

    mutating func finalize(seeing store: any Store) async throws -> Operation {
        let lease = try await lease(seeing: store)
        let uids = try await store.list(ListQuery(kind: .vm, limit: 100)).documents.map(\.metadata.uid)
        return Operation("finalize in \(lease)") { harness in
            try await harness.store.finalize(uids, lease: lease).map(\.description)
                .joined(separator: " ")
        }
    }

    mutating func judge(seeing store: any Store) async throws -> Operation {
        let lease = try await lease(seeing: store)
        let breaker: Double = pick([0.1, 0.5, 1]) ?? 1
        return Operation("judgeHosts \(lease) \(breaker)") { harness in
            let names = try await CanonicalDump.hostNames(harness.store)
            let judged = try await harness.store.judgeHosts(
                cell: lease, terms: .standard, breaker: breaker)
            let moves = [judged.suspected, judged.fenced, judged.returned]
                .map { $0.compactMap { names[$0] }.sorted() }
            return "\(moves) \(judged.tripped)"
        }
    }

    mutating func resolve(seeing store: any Store) async throws -> Operation {
        let live = try await store.allocations(.live)
        let chosen = pick(once(in: 4) ? live : live.filter(\.quarantined))?.id ?? ids.id()
        let zone = pick(["z1", "z2"]) ?? ""
        switch number(0..<3) {
        case 0:
            return Operation("adopt \(chosen)") { harness in
                let found = try await harness.store.adopt(
                    chosen, draft: nil, context: Self.context("adopt"))
                return "\(found.id) \(found.state) \(found.quarantined)"
            }
        case 1:
            return Operation("stop \(chosen)") { harness in
                "\(try await harness.store.stop(chosen, context: Self.context("stop")).state)"
            }
        default:
            return Operation("resetBreaker \(zone)") { harness in
                let confirmed = try await harness.store.resetBreaker(
                    cell: "a", zone: zone, context: Self.context("reset"))
                return "\(confirmed)"
            }
        }
    }

    mutating func releaseFenced(seeing store: any Store) async throws -> Operation {
        let lease = try await lease(seeing: store)
        let (host, everything) = (name(of: Self.hosts), once(in: 3))
        return Operation("releaseFenced \(host) everything \(everything)") { harness in
            guard let id = try await harness.store.hosts(.all).first(where: { $0.name == host })?.id else {
                return "no host"
            }
            return try await harness.store.releaseFenced(
                host: id, everything: everything, lease: lease, context: Self.context("fence")
            ).map(\.description).joined(separator: " ")
        }
    }
}
