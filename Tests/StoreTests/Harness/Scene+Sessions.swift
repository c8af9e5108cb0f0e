import AgentProtocol
import Fleet
import Store
import Testing

extension Scene {
    func join(
        _ name: String, pattern: String, cell: String = "a", pool: String = "p"
    ) async throws -> ID<AgentSession> {
        try await store.createJoinToken(
            JoinToken(
                secretHash: "token-\(name)", cell: cell, pool: pool, hostPattern: pattern,
                lifetime: .seconds(600)),
            context: WriteContext(actor: "user/ann", verb: "create"))
        return try await store.join(
            JoinSpending(
                tokenHash: "token-\(name)", session: ids.id(), name: name, substrate: "simulated",
                hosts: [], credentialHash: "credential-\(name)"))
    }

    func session(_ name: String = "s1") async throws -> SessionRecord {
        try #require(try await store.session(credentialHash: "credential-\(name)"))
    }

    /// 16 vCPUs and 64 GiB with 1 vCPU and 4 GiB reserved, and two devices of its own.
    func hostHello(
        _ name: String, zone: String = "", devices: [String]? = nil, parts: [PartReport] = []
    ) -> HostHello {
        let uuids = devices ?? ["GPU-\(name)-0", "GPU-\(name)-1"]
        return HostHello(
            name: name,
            inventory: HostInventory(
                capacity: Resources(milliCPU: 16_000, memoryMiB: 65_536),
                reserved: Resources(milliCPU: 1000, memoryMiB: 4096),
                devices: uuids.map { Device(uuid: $0, model: "H100", memoryMiB: 81_920) },
                domain: FailureDomain(zone: zone, rack: "r1"), labels: ["cpu.vendor": "amd"],
                substrate: "simulated"),
            generation: nil, parts: parts)
    }

    @discardableResult
    func hello(
        _ session: ID<AgentSession>, _ hosts: [HostHello], terms: LeaseTerms = .standard
    ) async throws -> HelloOutcome {
        try await store.hello(SessionHello(session: session, hosts: hosts, ids: ids, terms: terms))
    }

    @discardableResult
    func report(
        _ parts: [PartReport] = [], session name: String = "s1", sequence: Int, incarnation: Int? = nil,
        unreachable: [String] = []
    ) async throws -> [RefusedPart] {
        let session = try await session(name)
        return try await store.report(
            SessionReport(
                session: session.id, incarnation: incarnation ?? session.incarnation, sequence: sequence,
                parts: parts, unreachable: unreachable))
    }

    func part(
        _ allocation: ID<Allocation>, _ state: PartReport.State, host: String = "h1",
        directive: PartDirective? = nil
    ) -> PartReport {
        PartReport(
            host: host, allocation: allocation, generation: Generation(epoch: 1, number: 1), state: state,
            directive: directive)
    }

    /// What an agent found in its own ledger about a part that the store does not know.
    func orphan(
        _ id: ID<Allocation>, name: String = "lost", milliCPU: Int = 2000, devices: [String] = []
    ) -> PartDirective {
        PartDirective(
            allocation: id,
            workload: WorkloadReference(kind: .vm, uid: ids.id(), project: "team", name: name, part: "vm"),
            action: .run, resources: Resources(milliCPU: milliCPU, memoryMiB: 2048), devices: devices,
            onPartition: .keep)
    }

    @discardableResult
    func judge(_ lease: CellLease, breaker: Double = 0.1) async throws -> HostJudgement {
        try await store.judgeHosts(cell: lease, terms: .standard, breaker: breaker)
    }
}
