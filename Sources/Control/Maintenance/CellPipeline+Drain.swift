internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import VMPlacement

extension CellPipeline {
    /// Moves draining hosts on, and their operations.
    func drain() async throws -> Bool {
        let draining = model.hosts.values.filter(\.draining).sorted { $0.id < $1.id }
        try await endReports(except: Set(draining.map(\.id)))
        guard !draining.isEmpty else {
            readSpecs = [:]
            return false
        }
        let (began, uptime) = (time.now(), time.uptime())
        if let drainedAt, uptime - drainedAt < limits.drainEvery { return false }
        drainedAt = uptime
        let cluster = try await store.clusterState()
        // What was found after a restore has to be sorted out first: nothing is stopped meanwhile.
        if let until = cluster.quarantineUntil, began < until { return false }
        let specs = try await hostSpecs(draining.map(\.id)).filter { $0.value.draining == true }
        let now = cluster.fleetTime(at: began)
        let hosts = draining.compactMap { host in
            specs[host.id].map { (host, model.drainTerms(of: $0, now: now)) }
        }
        let round = model.drainRound(hosts, planner: &drainPlanner, clock: FleetClock(cluster))
        noteStayers(round.decisions.values.flatMap(\.blocked), on: hosts.map(\.0))
        var stops: [ReleaseDirective] = []
        for (host, _) in hosts {
            for id in round.decisions[host.id]?.stops ?? [] {
                stops.append(
                    ReleaseDirective(
                        allocation: id, reason: .hostDrained,
                        message: "the deadline of the drain of \(host.name) has passed"))
            }
        }
        var worked = try await release(stops, engine: .hostMaintenance, policy: "drain")
        worked =
            try await begin(hosts.compactMap { round.decisions[$0.0.id] }) { host in
                specs[host]?.drain?.purpose == .defragmentation ? "it is defragmented" : "it is drained"
            } || worked
        for (host, terms) in hosts {
            guard let decision = round.decisions[host.id] else { continue }
            try await report(DrainState(decision, terms: terms), host: host)
        }
        return worked
    }

    func hostSpecs(_ ids: [ID<Document>]) async throws -> [ID<Document>: HostSpec] {
        let decoder = JSONDecoder()
        var specs: [ID<Document>: HostSpec] = [:]
        for document in try await store.documents(.host, uids: ids) {
            let (uid, version) = (document.metadata.uid, document.metadata.resourceVersion)
            if let read = readSpecs[uid], read.version == version {
                specs[uid] = read.spec
            } else {
                let spec = try decoder.decode(HostSpec.self, from: Data(document.spec.utf8))
                specs[uid] = spec
                readSpecs[uid] = (version, spec)
            }
        }
        return specs
    }

    /// What `why` says of the VMs on draining hosts.
    private func noteStayers(_ blocked: [DrainPreview.Blocked], on hosts: [HostRecord]) {
        let byName = Dictionary(
            blocked.map { ("\($0.project)/\($0.name)", $0) }, uniquingKeysWith: { first, _ in first })
        model.stayers = [:]
        for host in hosts {
            for allocation in model.allocations(on: host.id) {
                let workload = allocation.workload
                model.stayers[workload.uid] = byName["\(workload.project)/\(workload.name)"]
            }
        }
    }

    private func report(_ state: DrainState, host: HostRecord) async throws {
        let before = drainReports[host.id]
        let now = time.now()
        let isNews = before?.state != state
        // A drain that is asked for again has a new operation, though nothing about it is new.
        guard isNews || before.map({ now.since($0.at) >= Self.operationsEvery }) ?? true else { return }
        drainReports[host.id] = DrainReport(state: state, at: now)
        try await advanceOperations(state, host: host)
        guard isNews else { return }
        let (status, reason) = state.condition
        try await setDrained(host.id, status, reason, state.sentence(host.name))
        guard let event = state.event(after: before?.state) else { return }
        try await store.appendEvents([
            EventDraft(
                kind: .host, project: nil, name: host.name, uid: host.id, reason: event,
                message: state.sentence(host.name), source: "hosts")
        ])
    }

    private func advanceOperations(_ state: DrainState, host: HostRecord) async throws {
        for operation in try await store.operations(limit: Self.operationsLooked)
        where operation.verb == "host.drain" && operation.target == host.name && operation.state == .running {
            var next = operation
            let total = max(operation.total ?? 0, state.left)
            next.total = total
            next.done = total - state.left
            next.message = state.sentence(host.name)
            if state.left == 0 { next.state = .succeeded }
            guard next != operation else { continue }
            next.updatedAt = time.now()
            try await store.putOperation(
                next, context: WriteContext(actor: "controller/hosts", verb: "host.drain"))
            logger.info(
                next.state == .running ? "operation moves on" : "operation ended",
                metadata: [
                    "operation": "\(next.id)", "verb": "\(next.verb)", "host": "\(host.name)",
                    "cell": "\(cell)", "state": "\(next.state.rawValue)", "done": "\(next.done ?? 0)",
                    "total": "\(total)",
                ])
        }
    }

    /// How often operations of a drain that does not move are looked for.
    private static let operationsEvery = Duration.seconds(5)

    /// Hosts that are not drained any more say so.
    private func endReports(except draining: Set<ID<Document>>) async throws {
        for id in drainReports.keys.sorted() where !draining.contains(id) {
            drainReports[id] = nil
            model.stayers = [:]
            try await setDrained(id, .no, .uncordoned, "the drain was taken back")
        }
    }

    private func setDrained(
        _ host: ID<Document>, _ status: Condition.Status, _ reason: Reason, _ message: String
    ) async throws {
        guard let resource = try await store.documents(.host, uids: [host]).first,
            var next = try? JSONDecoder().decode(HostStatus.self, from: Data(resource.status.utf8))
        else { return }  // why: a host that no agent brought yet has no status
        next.conditions.set(
            Condition(
                type: .drained, status: status, reason: reason, message: message,
                lastTransitionTime: time.now()))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(next), as: UTF8.self)
        let write = StatusWrite(
            uid: host, expected: resource.metadata.resourceVersion, status: text, event: nil)
        try await store.writeStatuses([write], lease: lease)
    }

    /// Newest operations among which a running drain is looked for.
    private static let operationsLooked = 1000
}

/// What was last said of a draining host.
struct DrainReport {
    var state: DrainState
    var at: Timestamp
}
