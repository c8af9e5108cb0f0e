internal import Fleet
internal import Foundation
internal import Logging
internal import Store

extension CellPipeline {
    /// Moves draining hosts on, and their operations.
    func drain() async throws -> Bool {
        let draining = model.hosts.values.filter(\.draining).sorted { $0.id < $1.id }
        try await endReports(except: Set(draining.map(\.id)))
        guard !draining.isEmpty else { return false }
        let cluster = try await store.clusterState()
        // What was found after a restore has to be sorted out first: nothing is stopped meanwhile.
        if let until = cluster.quarantineUntil, time.now() < until { return false }
        let documents = try await store.documents(.host, uids: draining.map(\.id))
        let specs = Dictionary(
            try documents.map {
                ($0.metadata.uid, try JSONDecoder().decode(HostSpec.self, from: Data($0.spec.utf8)))
            },
            uniquingKeysWith: { first, _ in first })
        var worked = false
        for host in draining {
            guard let spec = specs[host.id], spec.draining == true else { continue }
            let now = cluster.fleetTime(at: time.now())
            let terms = model.drainTerms(of: spec, slots: limits.drainSlots, now: now)
            let decision = DrainPlanner.decide(host: host, model: model, terms: terms)
            worked = try await release(decision.releases, engine: .hostMaintenance, policy: "drain") || worked
            try await report(decision, host: host)
        }
        return worked
    }

    private func report(_ decision: DrainPlanner.Decision, host: HostRecord) async throws {
        let before = drainReports[host.id]
        let now = time.now()
        let isNews = before?.decision != decision
        // A drain that is asked for again has a new operation, though nothing about it is new.
        guard isNews || before.map({ now.since($0.at) >= Self.operationsEvery }) ?? true else { return }
        drainReports[host.id] = DrainReport(decision: decision, at: now)
        try await advanceOperations(decision, host: host)
        guard isNews else { return }
        let (status, reason) = decision.condition
        try await setDrained(host.id, status, reason, decision.sentence(host.name))
        guard let event = decision.event(after: before?.decision) else { return }
        try await store.appendEvents([
            EventDraft(
                kind: .host, project: nil, name: host.name, uid: host.id, reason: event,
                message: decision.sentence(host.name), source: "hosts")
        ])
    }

    private func advanceOperations(_ decision: DrainPlanner.Decision, host: HostRecord) async throws {
        for operation in try await store.operations(limit: Self.operationsLooked)
        where operation.verb == "host.drain" && operation.target == host.name && operation.state == .running {
            var next = operation
            let total = max(operation.total ?? 0, decision.left)
            next.total = total
            next.done = total - decision.left
            next.message = decision.sentence(host.name)
            if decision.left == 0 { next.state = .succeeded }
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

    /// What a drain of a host would do now.
    func preview(host: HostRecord, spec: HostSpec, now: Timestamp) -> DrainPreview {
        model.drainPreview(host: host, spec: spec, slots: limits.drainSlots, now: now)
    }
}

/// What was last said of a draining host.
struct DrainReport {
    var decision: DrainPlanner.Decision
    var at: Timestamp
}

extension CellModel {
    func drainTerms(of spec: HostSpec, slots: Int, now: Timestamp) -> DrainPlanner.Terms {
        let opening = MaintenanceSchedule.state(spec.maintenance ?? pools[spec.pool]?.maintenance, at: now)
        return DrainPlanner.Terms(drain: spec.drain ?? DrainSpec(), opening: opening, slots: slots, now: now)
    }

    func drainPreview(host: HostRecord, spec: HostSpec, slots: Int, now: Timestamp) -> DrainPreview {
        var terms = drainTerms(of: spec, slots: slots, now: now)
        terms.explained = .max
        let decision = DrainPlanner.decide(host: host, model: self, terms: terms)
        return DrainPreview(
            host: host.name, moves: decision.moves, blocked: decision.blocked, opensAt: decision.opensAt)
    }
}

extension DrainPlanner.Decision {
    /// Such as `3 left; 2 cannot go: shop/db-1 (NoHostFits: …)`.
    func sentence(_ host: String) -> String {
        if left == 0 { return "host \(host) is empty" }
        if isClosed {
            let opens = opensAt.map { "opens at \($0)" } ?? "never opens"
            return "\(left) left; the maintenance window \(opens)"
        }
        let head = isPastDeadline ? "\(left) left; the deadline has passed" : "\(left) left"
        guard let first = blocked.first else { return head }
        let fix = first.nearestFix.map { "; nearest fix: \($0)" } ?? ""
        return "\(head); \(blocked.count) cannot go, such as \(first.project)/\(first.name): "
            + "\(first.reason.rawValue), \(first.message)\(fix)"
    }

    fileprivate var condition: (Condition.Status, Reason) {
        if left == 0 { return (.yes, .drained) }
        if isClosed { return (.no, .outsideWindow) }
        if isPastDeadline { return (.no, .deadlinePassed) }
        return (.no, blocked.count == left ? blocked.first?.reason ?? .draining : .draining)
    }

    /// What is worth an event; progress is not.
    fileprivate func event(after before: DrainPlanner.Decision?) -> Reason? {
        if left == 0 { return before?.left == 0 ? nil : .drained }
        if isClosed { return before?.isClosed == true ? nil : .outsideWindow }
        if isPastDeadline { return before?.isPastDeadline == true ? nil : .deadlinePassed }
        return nil
    }
}
