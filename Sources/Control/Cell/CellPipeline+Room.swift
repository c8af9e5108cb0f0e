internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import Telemetry

extension CellPipeline {
    /// Pools whose room is to be measured, when it is time.
    func roomToMeasure() -> [PoolMeasure]? {
        let uptime = time.uptime()
        guard let last = roomMeasuredAt else {
            roomMeasuredAt = uptime + limits.roomFirstAfter - limits.roomEvery
            return nil
        }
        guard uptime - last >= limits.roomEvery, !isMeasuringRoom else { return nil }
        roomMeasuredAt = uptime
        isMeasuringRoom = true
        return model.poolMeasures(now: time.now())
    }

    /// Measures room beside the pipeline, and says what it found in the metrics and in the pools' statuses.
    func measureRoom(_ pools: [PoolMeasure]) async {
        defer { isMeasuringRoom = false }
        let found = await Self.measured(pools, steps: limits.roomSteps)
        expose(found)
        do {
            try await write(found)
        } catch is CancellationError {
            return
        } catch {
            logger.failure("room of pools not written", error, ["cell": "\(cell)"])
        }
    }

    @concurrent private static func measured(
        _ pools: [PoolMeasure], steps: Int
    ) async -> [(pool: String, room: PoolRoom)] {
        pools.map { ($0.pool, $0.measured(steps: steps)) }
    }

    private func expose(_ found: [(pool: String, room: PoolRoom)]) {
        var stranded: [[String]: Double] = [:]
        var obtainable: [[String]: Double] = [:]
        for (pool, room) in found {
            stranded[[pool, "cpu"]] = room.strandedCpuPerMille.map { Double($0) / 1000 }
            stranded[[pool, "memory"]] = room.strandedMemoryPerMille.map { Double($0) / 1000 }
            for (size, large) in zip(["whole", "half", "quarter"], room.obtainable) {
                obtainable[[pool, size]] = Double(large.vms)
            }
        }
        metrics.replace(.stranded, first: cell, with: stranded)
        metrics.replace(.obtainable, first: cell, with: obtainable)
    }

    /// Only what is no longer as it was written.
    private func write(_ found: [(pool: String, room: PoolRoom)]) async throws {
        var writes: [StatusWrite] = []
        for (pool, room) in found {
            guard let resource = try await store.document(.pool, project: nil, name: pool) else { continue }
            var status = try JSONDecoder().decode(PoolStatus.self, from: Data(resource.status.utf8))
            guard status.room != room else { continue }
            status.room = room
            writes.append(
                StatusWrite(
                    uid: resource.metadata.uid, expected: resource.metadata.resourceVersion,
                    status: try Self.encoded(status), event: nil))
        }
        if !writes.isEmpty { try await store.writeStatuses(writes, lease: lease) }
    }
}
