import Fleet

extension MemoryState {
    /// The history of one VM, by its allocations; nil for one that never had any.
    func vmLife(_ vm: Resource) throws -> VMHistoryRecord? {
        let lives = allocations.matching(.workloads([vm.metadata.uid])).sorted { $0.id < $1.id }
        guard let latest = lives.last, let first = lives.map(\.createdAt).min() else { return nil }
        let spec = try JSONContent(vm.spec)
        let isOver = lives.allSatisfy { $0.state == .released }
        return VMHistoryRecord(
            uid: vm.metadata.uid, project: vm.metadata.project ?? "", name: vm.metadata.name,
            cell: latest.cell, pool: spec["pool"]?.text ?? hosts[latest.host]?.record.pool ?? "",
            labels: vm.metadata.labels, class: latest.class, resources: latest.resources,
            devices: latest.devices.count, lifetimeHintSeconds: spec["lifetimeHintSeconds"]?.integer,
            startedAt: fleetTime(first),
            endedAt: isOver ? lives.compactMap(\.releasedAt).max().map(fleetTime) : nil,
            stays: lives.map { life in
                VMHistoryRecord.Stay(
                    host: documents[life.host]?.metadata.name ?? life.host.description,
                    from: fleetTime(life.createdAt), until: life.releasedAt.map(fleetTime))
            })
    }

    /// Before the present rate a second is taken for a second.
    func fleetTime(_ time: Timestamp) -> Timestamp {
        let seconds = time.since(cluster.realOrigin).inSeconds
        return cluster.fleetOrigin.advanced(
            by: .seconds(seconds < 0 ? seconds : seconds * cluster.fleetRate))
    }

    func vmHistory(_ query: VMHistoryQuery) throws -> [VMHistoryRecord] {
        let running = try documents.ordered(.vm).compactMap { try vmLife($0) }
        let all = (Array(vmHistory.values) + running).filter { record in
            (query.cell ?? record.cell) == record.cell && (query.pool ?? record.pool) == record.pool
                && (query.since.map { since in record.endedAt.map { $0 >= since } ?? true } ?? true)
        }
        let limit = max(0, query.limit)
        switch query.order {
        case .newestFirst: return Array(all.sorted { $0.uid > $1.uid }.prefix(limit))
        case .oldestFirst(let after):
            let following = all.filter { record in after.map { record.uid > $0 } ?? true }
            return Array(following.sorted { $0.uid < $1.uid }.prefix(limit))
        }
    }

    mutating func pruneHistory() {
        let oldest = fleetTime(now).advanced(by: .zero - VMHistoryRecord.retention)
        vmHistory = vmHistory.filter { $0.value.endedAt.map { $0 >= oldest } ?? true }
        for uid in vmHistory.keys.sorted().dropLast(VMHistoryRecord.limit) { vmHistory[uid] = nil }
    }
}
