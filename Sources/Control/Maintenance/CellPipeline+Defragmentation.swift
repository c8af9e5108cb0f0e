internal import Fleet
internal import Foundation
internal import Store
internal import VMPlacement

/// What is remembered of pools that are defragmented. All of it is about when to begin: what is under way
/// stands in the specs of hosts, so that another controller only begins later.
struct DefragmentationMemory {
    struct Pool {
        /// Fleet time since when too few hosts are empty.
        var belowSince: Timestamp?
        var isRunning = false
        /// What was advised last.
        var advised: [String] = []
    }

    /// Of the uptime.
    var lookedAt: Duration?
    var pools: [String: Pool] = [:]
    /// Hosts that could not be emptied, and the fleet time until when they are left alone.
    var retreats: [ID<Document>: Timestamp] = [:]
}

extension CellPipeline {
    /// Begins to empty hosts of pools that ask for it, and takes emptied ones back into service.
    func defragment() async throws -> Bool {
        let (began, uptime) = (time.now(), time.uptime())
        if let at = defragmentation.lookedAt, uptime - at < limits.defragmentEvery { return false }
        defragmentation.lookedAt = uptime
        let draining = model.hosts.values.filter(\.draining).map(\.id).sorted()
        let isAsked = model.pools.values.contains { ($0.defragmentation?.mode ?? .off) != .off }
        guard isAsked || !draining.isEmpty else { return false }
        let cluster = try await store.clusterState()
        if let until = cluster.quarantineUntil, began < until { return false }
        let now = cluster.fleetTime(at: began)
        let specs = try await hostSpecs(draining).filter {
            $0.value.draining == true && $0.value.drain?.purpose == .defragmentation
        }
        defragmentation.retreats = defragmentation.retreats.filter { now < $0.value }
        var worked = false
        for host in specs.keys.sorted() {
            worked = try await takeBack(host, spec: specs[host], now: now) || worked
        }
        for (pool, spec) in model.pools.sorted(by: { $0.key < $1.key }) {
            guard let rules = spec.defragmentation, (rules.mode ?? .off) != .off else {
                defragmentation.pools[pool] = nil
                continue
            }
            let busy = specs.count { $0.value.pool == pool }
            worked =
                try await defragment(pool, rules, busy: busy, clock: FleetClock(cluster), now: now) || worked
        }
        return worked
    }

    private func defragment(
        _ pool: String, _ rules: DefragmentationRules, busy: Int, clock: FleetClock, now: Timestamp
    ) async throws -> Bool {
        var memory = defragmentation.pools[pool] ?? .init()
        let (hosts, empty) = model.fullness(ofPool: pool)
        if empty * 1000 >= hosts * rules.target {
            memory.belowSince = nil
        } else if memory.belowSince == nil {
            memory.belowSince = now
        }
        if let since = memory.belowSince, now.since(since) >= rules.delay { memory.isRunning = true }
        if empty >= rules.emptyHosts(of: hosts) { memory.isRunning = false }
        defer { defragmentation.pools[pool] = memory }
        let limit = rules.mostDraining(of: hosts) - busy
        guard memory.isRunning, limit > 0 else { return false }
        let chosen = model.fragmented(
            pool: pool, rules: rules, limit: limit, looked: limits.defragmentCandidates,
            without: Set(defragmentation.retreats.keys), clock: clock, now: now
        ).chosen
        let why = "\(empty) of \(hosts) hosts of pool \(pool) are empty, \(rules.target)/1000 shall be"
        guard rules.mode == .enforce else {
            let names = chosen.map(\.host.name)
            guard !names.isEmpty, names != memory.advised else { return false }
            memory.advised = names
            try await tell(
                .defragmentationAdvised, why + "; empty \(names.joined(separator: ", "))", pool: pool)
            return false
        }
        for candidate in chosen {
            let moves = candidate.decision.moves.count
            try await edit(candidate.host.id, verb: "drain") { spec in
                guard spec.isSchedulable else { return false }
                spec.draining = true
                spec.drain = DrainSpec(purpose: .defragmentation)
                spec.cordonReason = "defragmentation: \(why)"
                return true
            }
            try await tell(.draining, "\(why); \(moves) VMs move", host: candidate.host.id)
        }
        return !chosen.isEmpty
    }

    /// Ends the drain of a host that is empty, that cannot be emptied, or whose pool wants no more of it.
    private func takeBack(_ host: ID<Document>, spec: HostSpec?, now: Timestamp) async throws -> Bool {
        guard let record = model.hosts[host] else { return false }
        let reason: Reason
        let message: String
        let state = drainReports[host]?.state
        if model.pools[record.pool]?.defragmentation?.mode != .enforce {
            (reason, message) = (.uncordoned, "pool \(record.pool) is defragmented no more")
        } else if model.allocations(on: host).isEmpty {
            (reason, message) = (.defragmented, "it is empty, and takes VMs again")
        } else if let state, state.left > 0, state.blocked.count >= state.left {
            let rules = model.pools[record.pool]?.defragmentation ?? DefragmentationRules()
            defragmentation.retreats[host] = now.advanced(by: max(rules.delay, .seconds(60)))
            (reason, message) = (.uncordoned, "it cannot be emptied now: \(state.sentence(record.name))")
        } else {
            return false
        }
        try await edit(host, verb: "undrain") { spec in
            guard spec.drain?.purpose == .defragmentation else { return false }
            spec.draining = nil
            spec.drain = nil
            if spec.cordoned != true { spec.cordonReason = nil }
            return true
        }
        try await tell(reason, message, host: host)
        return true
    }

    /// - Parameter change: false leaves the host as it is.
    private func edit(
        _ host: ID<Document>, verb: String, _ change: @Sendable @escaping (inout HostSpec) -> Bool
    ) async throws {
        guard let name = model.hosts[host]?.name else { return }
        _ = try await store.update(
            .host, project: nil, name: name, precondition: .none,
            context: WriteContext(actor: "controller/hosts", verb: verb)
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            guard change(&spec) else { return }
            resource.spec = try Self.encoded(spec)
        }
        for record in try await store.hosts(.ids([host])) { model.put(host: record) }
    }

    private func tell(_ reason: Reason, _ message: String, host: ID<Document>) async throws {
        guard let name = model.hosts[host]?.name else { return }
        try await store.appendEvents([
            EventDraft(
                kind: .host, project: nil, name: name, uid: host, reason: reason, message: message,
                source: "hosts")
        ])
    }

    private func tell(_ reason: Reason, _ message: String, pool: String) async throws {
        guard let document = try await store.document(.pool, project: nil, name: pool) else { return }
        try await store.appendEvents([
            EventDraft(
                kind: .pool, project: nil, name: pool, uid: document.metadata.uid, reason: reason,
                message: message, source: "hosts")
        ])
    }
}
