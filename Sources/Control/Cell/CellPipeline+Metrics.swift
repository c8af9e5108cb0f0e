internal import Fleet
internal import Store
internal import Telemetry

extension CellPipeline {
    /// Runs a cycle, counts its time when it worked, and now and then what the model holds.
    func measured(_ cycle: () async throws -> Bool) async throws -> Bool {
        let start = time.uptime()
        let worked = try await cycle()
        let uptime = time.uptime()
        if worked {
            metrics.observe(.cycles, [cell], (uptime - start).inSeconds)
            signals?.add(
                SignalBuffer.Span(
                    at: time.now().advanced(by: start - uptime), component: "control", name: "cycle \(cell)",
                    milliseconds: (uptime - start).inSeconds * 1000))
        }
        if let measuredAt, uptime - measuredAt < limits.measureEvery { return worked }
        measuredAt = uptime
        measure(time.now())
        return worked
    }

    /// A commit as a span of its plan.
    func trace(_ plan: Plan, since: Timestamp, took: Duration, error: String? = nil) {
        signals?.add(
            SignalBuffer.Span(
                at: since, component: "control", name: "commit \(plan.engine.rawValue)",
                milliseconds: took.inSeconds * 1000, error: error, trace: plan.id.description))
    }

    func count(_ plan: Plan, _ outcome: CommitOutcome) {
        metrics.add(.plans, [cell, plan.engine.rawValue])
        let refused = Dictionary(
            outcome.refusals.map { ($0.group, $0.reason) }, uniquingKeysWith: { first, _ in first })
        for reason in refused.values { metrics.add(.groups, [cell, reason.rawValue]) }
        metrics.add(.groups, [cell, "committed"], by: Double(plan.groups.count - refused.count))
        let placed = plan.groups.indices.filter { refused[$0] == nil }.flatMap { plan.groups[$0].directives }
        let allocated = placed.count { if case .allocate = $0 { true } else { false } }
        metrics.add(.placements, [cell], by: Double(allocated))
    }

    private func measure(_ now: Timestamp) {
        var contacts = [String: Double](
            uniqueKeysWithValues: HostContact.allCases.map { ($0.rawValue.lowercased(), 0) })
        for host in model.hosts.values { contacts[host.contact.rawValue.lowercased(), default: 0] += 1 }
        metrics.replace(.hosts, first: cell, with: contacts.byLabel)
        var health = [String: Double](
            uniqueKeysWithValues: Device.Health.allCases.map { ($0.rawValue, 0) })
        for device in model.hosts.values.lazy.flatMap(\.devices) {
            health[device.health.rawValue, default: 0] += 1
        }
        metrics.replace(.devices, first: cell, with: health.byLabel)
        metrics.set(.hostsInRepair, [cell], to: Double(repairs.inRepair))

        var states: [String: Double] = ["reserved": 0, "active": 0, "releasing": 0]
        var quarantined = 0.0
        for allocation in model.allocations.values where allocation.state != .released {
            states[allocation.state.rawValue, default: 0] += 1
            if allocation.quarantined { quarantined += 1 }
        }
        metrics.replace(.allocations, first: cell, with: states.byLabel)
        metrics.set(.quarantined, [cell], to: quarantined)

        var reasons: [String: Double] = [
            Reason.waitingForPlacement.rawValue: 0, Reason.noHostFits.rawValue: 0,
        ]
        var oldest: Timestamp?
        for uid in model.pending {
            guard let vm = model.vms[uid] else { continue }
            let reason = vm.refusal ?? (vm.blockedAt == nil ? .waitingForPlacement : .noHostFits)
            reasons[reason.rawValue, default: 0] += 1
            oldest = min(oldest ?? vm.metadata.createdAt, vm.metadata.createdAt)
        }
        metrics.replace(.pending, first: cell, with: reasons.byLabel)
        metrics.set(.pendingOldest, [cell], to: oldest.map { max(now.since($0).inSeconds, 0) } ?? 0)
    }
}

extension MetricRegistry<DaemonMetric> {
    /// Takes the gauges of a cell away that another controller plans from now on.
    func forget(cell: String) {
        for key in [
            DaemonMetric.hosts, .allocations, .pending, .pendingOldest, .quarantined, .breakerTripped,
            .stranded, .obtainable, .devices, .hostsInRepair,
        ] {
            replace(key, first: cell, with: [:])
        }
    }
}

extension [String: Double] {
    fileprivate var byLabel: [[String]: Double] {
        [[String]: Double](uniqueKeysWithValues: map { ([$0.key], $0.value) })
    }
}
