internal import Fleet
internal import Store

extension CellPipeline {
    /// Moves draining hosts on, and their operations.
    func drain() async throws -> Bool {
        var worked = false
        for host in model.hosts.values.filter(\.draining).sorted(by: { $0.id < $1.id }) {
            let decision = DrainPlanner.decide(host: host, model: model, slots: limits.drainSlots)
            worked = try await release(decision.releases, engine: .hostMaintenance, policy: "drain") || worked
            try await report(decision, host: host)
        }
        return worked
    }

    private func report(_ decision: DrainPlanner.Decision, host: HostRecord) async throws {
        guard drainReports[host.id] != decision else { return }
        for var operation in try await store.operations(limit: Self.operationsLooked)
        where operation.verb == "host.drain" && operation.target == host.name && operation.state == .running {
            let total = max(operation.total ?? 0, decision.left)
            operation.total = total
            operation.done = total - decision.left
            operation.updatedAt = time.now()
            if decision.left == 0 {
                operation.state = .succeeded
                operation.message = "host \(host.name) is empty"
            } else if decision.blocked.isEmpty {
                operation.message = "\(decision.left) left"
            } else {
                let names = decision.blocked.prefix(3).joined(separator: ", ")
                operation.message =
                    "\(decision.left) left; no other host takes \(decision.blocked.count): \(names)"
            }
            try await store.putOperation(
                operation, context: WriteContext(actor: "controller/hosts", verb: "host.drain"))
        }
        if decision.left == 0 {
            try await store.appendEvents([
                EventDraft(
                    kind: .host, project: nil, name: host.name, uid: host.id, reason: .drained,
                    message: "empty",
                    source: "hosts")
            ])
        }
        drainReports[host.id] = decision
    }

    /// Newest operations among which a running drain is looked for.
    private static let operationsLooked = 1000
}
