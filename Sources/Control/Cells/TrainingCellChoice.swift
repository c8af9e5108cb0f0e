internal import Fleet
internal import Store

/// Chooses a cell for training jobs that name none: filters, then most room.
struct TrainingCellChoice {
    private struct Key: Hashable {
        var cell: String
        var pool: String
        /// Nil for hosts without devices: a CPU stands for each.
        var device: String?
    }

    private struct Room {
        var total = 0
        var free = 0
    }

    private var rooms: [Key: Room] = [:]

    /// - Parameter pools: by name.
    init(hosts: [HostRecord], pools: [String: PoolSpec]) {
        for host in hosts where host.takesParts && !host.frozen {
            guard pools[host.pool]?.admits.contains(.training) == true else { continue }
            let models: [String?] = host.devices.isEmpty ? [nil] : Set(host.devices.map(\.model)).map { $0 }
            for model in models {
                let key = Key(cell: host.cell, pool: host.pool, device: model)
                rooms[key, default: Room()].total += TrainingField.devices(of: host, model: model)
                rooms[key, default: Room()].free += Self.free(of: host, model: model)
            }
        }
    }

    private static func free(of host: HostRecord, model: String?) -> Int {
        guard let model else {
            return max(0, host.usable.milliCPU - host.room.consumedMilliCPU) / 1000
        }
        return host.devices.count {
            $0.model == model && $0.health == .healthy && !host.takenDevices.contains($0.uuid)
        }
    }

    /// The cell with most free devices among those that have as many in one pool as the job's smallest shape;
    /// they are taken, so that a batch spreads. Ties end in the name.
    mutating func choose(_ spec: TrainingJobSpec) -> String? {
        let least = spec.profile?.map { $0.placement.reduce(0, +) }.min() ?? 1
        let fitting = rooms.filter { key, room in
            key.device == spec.deviceModel && room.total >= least && spec.pool.map { $0 == key.pool } ?? true
        }
        let best = fitting.max { lhs, rhs in
            if lhs.value.free != rhs.value.free { return lhs.value.free < rhs.value.free }
            if lhs.value.total != rhs.value.total { return lhs.value.total < rhs.value.total }
            return (rhs.key.cell, rhs.key.pool) < (lhs.key.cell, lhs.key.pool)
        }
        guard let key = best?.key else { return nil }
        rooms[key]?.free -= spec.devices
        return key.cell
    }
}

extension CellsReconciler {
    /// - Returns: training jobs that no cell can take.
    func assignJobs(
        _ uids: [ID<Document>], _ choice: inout TrainingCellChoice, _ now: Timestamp
    ) async throws -> Set<ID<Document>> {
        var left: Set<ID<Document>> = []
        var writes: [StatusWrite] = []
        var ended: [ID<Document>] = []
        for resource in try await store.documents(.trainingJob, uids: uids) {
            let job = try TrainingJobRecord(resource)
            guard job.cell == nil else { continue }
            guard job.metadata.deletionTimestamp == nil else {
                ended.append(job.uid)
                continue
            }
            let cell = choice.choose(job.spec)
            if cell == nil { left.insert(job.uid) }
            if let write = try write(job, cell: cell, now: now) { writes.append(write) }
        }
        try await store.writeStatuses(writes, lease: lease)
        _ = try await store.finalize(ended, lease: lease)
        return left
    }

    private func write(_ job: TrainingJobRecord, cell: String?, now: Timestamp) throws -> StatusWrite? {
        var status = job.status
        status.observedGeneration = job.metadata.generation
        status.cell = cell
        let reason: Reason = cell == nil ? .noCellFits : .waitingForPlacement
        let message =
            cell.map { "cell \($0) has most room" } ?? "no cell has a pool for training with such devices"
        status.conditions.set(
            Condition(
                type: .scheduled, status: .no, reason: reason, message: message, lastTransitionTime: now))
        guard status != job.status else { return nil }
        let event = EventDraft(
            kind: .trainingJob, project: job.metadata.project, name: job.metadata.name, uid: job.uid,
            reason: reason, message: message, source: "cells")
        return StatusWrite(
            uid: job.uid, expected: job.metadata.resourceVersion,
            status: try CellPipeline.encoded(status), event: event)
    }
}

extension TrainingJobRecord {
    /// The cell that it lives in: its owner's choice, or ours.
    var cell: String? { spec.cell ?? status.cell }
}
