internal import Fleet
internal import Store

/// Replicas leave in their own time: no request is sent to them, those under way end, and then they stop.
extension CellPipeline {
    /// Before a host is taken away its replicas stop: what ends them may take that long.
    private static let stopsBefore = Duration.seconds(5)
    /// Between two looks at hosts that are to be empty.
    private static let evictionsEvery = Duration.seconds(1)

    /// Why and until when a replica is to leave.
    private struct Leaver {
        var cause: ReplicaLeave.Cause
        /// Nil where nothing presses.
        var limit: Timestamp?
    }

    /// Hosts with replicas that are to be empty, by name, and when what is left there stops.
    func evictions(_ now: Timestamp) async throws -> [String: HostEviction] {
        let hosts = model.hosts.values.filter { host in
            host.draining
                && model.allocations(on: host.id).contains { model.deployment($0.workload.uid) != nil }
        }.sorted { $0.id < $1.id }
        guard !hosts.isEmpty else {
            serving.evictions = nil
            return [:]
        }
        let ids = hosts.map(\.id)
        if let known = serving.evictions, known.hosts == ids, now.since(known.at) < Self.evictionsEvery {
            return known.found
        }
        let cluster = try await store.clusterState()
        // What was found after a restore has to be sorted out first: nothing is stopped meanwhile.
        if let until = cluster.quarantineUntil, now < until { return [:] }
        let fleetNow = cluster.fleetTime(at: now)
        let specs = try await hostSpecs(ids)
        var found: [String: HostEviction] = [:]
        for host in hosts {
            guard let spec = specs[host.id], spec.draining == true else { continue }
            let terms = model.drainTerms(of: spec, now: fleetNow)
            guard terms.isOpen else { continue }
            let stops = terms.drain.atDeadline == .stop ? terms.drain.deadline : nil
            found[host.name] = HostEviction(
                limit: stops.map { deadline in
                    let left = Duration.seconds(deadline.since(fleetNow).inSeconds / cluster.fleetRate)
                    // In whole seconds: what two clocks make of it differs by a microsecond now and then.
                    return Timestamp(seconds: now.advanced(by: left - Self.stopsBefore).seconds.rounded())
                })
        }
        serving.evictions = .init(hosts: ids, at: now, found: found)
        return found
    }

    /// Moves what leaves on, and says which parts may stop now.
    func leaving(
        _ work: ServingWork, _ plan: ServingPlanSummary, of uid: ID<Document>, _ parts: [PartView],
        _ evictions: [String: HostEviction], _ now: Timestamp
    ) -> [ReleaseDirective] {
        guard let record = model.deployment(uid) else { return [] }
        let drains = moved(
            record.drains, leavers(work, plan, of: record, parts, evictions), record, parts, now)
        if drains != record.drains {
            model.edit(deployment: uid) { $0.drains = drains }
            model.dirty.insert(uid)
        }
        let planned = Set(plan.groups.map(\.name))
        let unplanned = work.releases.filter { allocation in
            let group = allocation.group
            // What does not run serves nobody; nor does what is left of a broken replica.
            return allocation.state != .active || planned.contains(group) || drains[group]?.isOver != false
        }
        let rest = parts.map(\.allocation).filter { allocation in
            allocation.state != .releasing && planned.contains(allocation.group)
                && drains[allocation.group]?.isOver == true
        }
        let known = Set(unplanned.map(\.id))
        return (unplanned + rest.filter { !known.contains($0.id) }).map { allocation in
            Self.release(allocation, drains[allocation.group]?.cause ?? .planned)
        }
    }

    private static func release(
        _ allocation: Allocation, _ cause: ReplicaLeave.Cause
    ) -> ReleaseDirective {
        switch cause {
        case .planned:
            ReleaseDirective(
                allocation: allocation.id, reason: .rescheduled,
                message: "it is not part of the deployment's plan")
        case .renewed:
            ReleaseDirective(
                allocation: allocation.id, reason: .rescheduled, message: "it is started with another command"
            )
        case .host:
            ReleaseDirective(
                allocation: allocation.id, reason: .hostDrained, message: "its host is to be empty")
        }
    }

    /// What is to stop though it runs.
    private func leavers(
        _ work: ServingWork, _ plan: ServingPlanSummary, of record: ServingDeploymentRecord,
        _ parts: [PartView], _ evictions: [String: HostEviction]
    ) -> [String: Leaver] {
        let planned = Set(plan.groups.map(\.name))
        var found: [String: Leaver] = [:]
        for allocation in work.releases
        where allocation.state == .active && !planned.contains(allocation.group) {
            found[allocation.group] = Leaver(cause: .planned)
        }
        if let name = record.renewing { found[name] = Leaver(cause: .renewed) }
        for part in parts where part.allocation.state != .reserved {
            guard let host = part.host, let eviction = evictions[host] else { continue }
            let name = part.allocation.group
            let limits = [found[name]?.limit, eviction.limit].compactMap(\.self)
            found[name] = Leaver(cause: found[name]?.cause ?? .host, limit: limits.min())
        }
        return found
    }

    private func moved(
        _ drains: [String: ReplicaDrain], _ leavers: [String: Leaver], _ record: ServingDeploymentRecord,
        _ parts: [PartView], _ now: Timestamp
    ) -> [String: ReplicaDrain] {
        let patience = Duration.seconds(record.spec.drainSeconds ?? ServingLimit.usualDrainSeconds)
        let routes = record.status.routes
        var next: [String: ReplicaDrain] = [:]
        for (name, leaver) in leavers {
            var drain = drains[name] ?? ReplicaDrain(cause: leaver.cause, since: now)
            drain.cause = leaver.cause
            let own = parts.filter { $0.allocation.group == name }
            drain.look(
                .init(
                    version: routes?.version ?? 0,
                    isRouted: routes?.replicas.contains { $0.name == name } ?? false,
                    isStopping: own.allSatisfy { $0.allocation.state == .releasing },
                    underWay: { record.watch.underWay(on: name, since: $0) }, patience: patience,
                    limit: leaver.limit), now: now)
            next[name] = drain
        }
        return next
    }
}

/// A host that is to be empty.
struct HostEviction: Equatable {
    /// When its replicas stop, whatever is under way; nil where nothing presses.
    var limit: Timestamp?
}

extension Allocation {
    /// Replica that a part of a serving deployment belongs to.
    var group: String { String(workload.part.prefix { $0 != "-" }) }
}
