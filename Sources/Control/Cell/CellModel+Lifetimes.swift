internal import Fleet
internal import Foundation
internal import Store
internal import VMPlacement

extension CellModel {
    /// Whether a pool goes by lifetimes, or tries a policy that does.
    var needsLifetimes: Bool {
        pools.contains { name, spec in
            placementPolicy(ofPool: name).needsLifetimes || spec.shadow?.needsLifetimes == true
        }
    }

    /// Those of `tight-lava` as soon as a pool goes by it or tries it: a cell has one kind of classes.
    var lifetimeSettings: LifetimeSettings {
        let isFine = pools.contains { name, spec in
            placementPolicy(ofPool: name).ladder == .fine || spec.shadow?.ladder == .fine
        }
        return LifetimeSettings(ladder: isFine ? .fine : .paper)
    }

    /// Whether lifetimes are needed that are not tracked, or not by the classes that are needed.
    var lacksLifetimes: Bool { needsLifetimes && placement.lifetimeLadder != lifetimeSettings.ladder }

    /// What predictions of a VM that has a host go by.
    func lifetime(of allocation: Allocation) -> VMLifetime {
        let vm = vms[allocation.workload.uid]
        let hasMoved = allocation.arrival != nil || vm.map { $0.status.restarts > 0 } ?? false
        let started = hasMoved ? vm?.metadata.createdAt : nil
        return VMLifetime(
            features: VMFeatures(allocation, metadata: vm?.metadata, spec: vm?.spec),
            startedAt: clock.time(at: started ?? allocation.createdAt))
    }

    /// Whether a VM without its allocation has ended for good: it is deleted, and was not moved.
    func hasEnded(_ uid: ID<Document>) -> Bool {
        vms[uid].map { $0.metadata.deletionTimestamp != nil } ?? true
    }

    /// When the VM of a released allocation ended, on the fleet clock; nil when it goes on elsewhere.
    mutating func end(of released: Allocation?) -> Timestamp? {
        guard let released, let at = released.releasedAt, hasEnded(released.workload.uid) else { return nil }
        observe(released, until: at)
        return clock.time(at: at)
    }

    mutating func observe(_ released: Allocation, until end: Timestamp) {
        guard released.workload.kind == .vm else { return }
        let lifetime = lifetime(of: released)
        let seconds = clock.time(at: end).since(lifetime.startedAt).inSeconds
        history.add(.init(features: lifetime.features, seconds: max(0, seconds), hasEnded: true))
    }

    // MARK: Tracking

    /// Whether the tracking has to begin or to end, as pools and policies ask for.
    var mustFollowLifetimes: Bool { lacksLifetimes || needsLifetimes != placement.tracksLifetimes }

    /// Begins the tracking with what was written down, wherever the controller that did so has gone; or ends
    /// it.
    ///
    /// - Parameter reading: nil where lifetimes are not needed.
    mutating func followLifetimes(_ reading: LifetimeReading?, now: Timestamp) throws {
        guard needsLifetimes, let reading else {
            placement.forgetLifetimes()
            predictors = [:]
            return
        }
        clock = FleetClock(reading.cluster)
        // The allocations alone said nothing of hints, nor of the fleet clock.
        for allocation in allocations.values {
            placement.setLifetime(lifetime(of: allocation), of: allocation.id)
        }
        learn(from: reading.released)
        var memory = try reading.memory()
        for allocation in reading.gone {
            guard let at = allocation.releasedAt else { continue }
            memory.departures[allocation.id] = .init(
                at: clock.time(at: at), hasEnded: hasEnded(allocation.workload.uid))
        }
        learned = history.learn(running: running(now: now))
        let trust = choosePredictors(trust: memory.cell?.trust ?? [:], now: now)
        placement.trackLifetimes(
            lifetimeSettings, model: predictor, now: clock.time(at: now), memory: memory)
        placement.setModelTrust(trust)
    }

    /// Learns from the ledger what VMs of the cell lived that are gone.
    private mutating func learn(from released: [Allocation]) {
        history = LifetimeHistory()
        // A VM that had several hosts lived from its first to its last.
        let lives = Dictionary(grouping: released.filter { hasEnded($0.workload.uid) }, by: \.workload.uid)
        for life in lives.values.sorted(by: { $0[0].id < $1[0].id }) {
            guard var whole = life.first, let end = life.compactMap(\.releasedAt).max() else { continue }
            whole.createdAt = life.map(\.createdAt).min() ?? whole.createdAt
            observe(whole, until: end)
        }
    }

    private func running(now: Timestamp) -> [LifetimeObservation] {
        let now = clock.time(at: now)
        return allocations.values.sorted { $0.id < $1.id }.filter { $0.workload.kind == .vm }.map {
            allocation in
            let lifetime = lifetime(of: allocation)
            let seconds = max(0, now.since(lifetime.startedAt).inSeconds)
            return .init(features: lifetime.features, seconds: seconds, hasEnded: false)
        }
    }

    /// Goes on with a model that knows of more ends, when enough are new.
    mutating func relearn(now: Timestamp) {
        guard placement.tracksLifetimes, history.isDue else { return }
        learned = history.learn(running: running(now: now))
        placement.useLifetimeModel(predictor)
    }
}

/// What a store holds of a cell's lifetimes.
struct LifetimeReading {
    var cluster: ClusterState
    var record: LifetimeRecord
    /// The youngest of the cell, to learn from.
    var released: [Allocation]
    /// Those in the record that are not live.
    var gone: [Allocation]

    init(of cell: String, live: Set<ID<Allocation>>, from store: any Store) async throws {
        cluster = try await store.clusterState()
        record = try await store.lifetimes(cell: cell)
        released = try await store.allocations(.ended(cell: cell, limit: LifetimeHistory.most))
        let missing = try Self.memory(record).allocations.subtracting(live).sorted()
        gone = missing.isEmpty ? [] : try await store.allocations(.ids(missing))
    }

    func memory() throws -> LifetimeMemory { try Self.memory(record) }

    private static func memory(_ record: LifetimeRecord) throws -> LifetimeMemory {
        let decoder = JSONDecoder()
        var memory = LifetimeMemory(
            cell: try record.cell.map { try decoder.decode(CellLifetimes.self, from: Data($0.utf8)) })
        for host in record.hosts {
            memory.hosts[host.host] = .init(
                kept: try host.kept.map { try decoder.decode(HostLifetime.self, from: Data($0.utf8)) },
                arrivals: host.arrivals.map { .init(allocation: $0.allocation, lifetime: $0.lifetime) })
        }
        return memory
    }
}

extension LifetimeNotes {
    /// As the store keeps them.
    func encoded() throws -> LifetimeNote {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return LifetimeNote(
            cell: String(decoding: try encoder.encode(cell), as: UTF8.self),
            hosts: try hosts.mapValues { String(decoding: try encoder.encode($0), as: UTF8.self) })
    }
}
