internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import VMPlacement

/// Gives every VM and training job that names no cell the one it lives in from then on. One runs in the fleet, under the lease
/// of what is done once in it. Members of a group that is placed whole come with their cell.
struct CellsReconciler {
    /// The lease's name; no cell can be called so.
    static let leaseName = "*"
    /// Workloads of one write.
    static let batch = 512
    /// How old the picture of the cells' room may be.
    static let roomAge = Duration.seconds(1)

    let lease: CellLease
    let store: any Store
    let hub: FeedHub
    let time: Timekeeper
    let logger: Logger

    func run() async throws {
        try await time.repeatUntilLeaseLost {
            try await follow()
        } onFailure: {
            logger.failure("cells not chosen", $0)
        }
    }

    private func follow() async throws {
        var cursor = try await store.feedPosition()
        var waiting = try await homeless()
        var choice: (made: Duration, value: CellChoice)?
        var retryAt: Duration?
        while !Task.isCancelled {
            let page = try await hub.entries(after: cursor)
            cursor = page.next
            let told = page.entries.filter {
                Self.kinds.contains($0.kind) && $0.cell == nil && $0.change != .deleted
            }
            waiting.formUnion(told.map(\.uid))
            let uptime = time.uptime()
            if waiting.isEmpty || retryAt.map({ $0 > uptime }) ?? false {
                if page.entries.isEmpty { try await hub.wait(after: cursor, timeout: Self.roomAge) }
                continue
            }
            if choice.map({ uptime - $0.made > Self.roomAge }) ?? true {
                let pools = try await store.specs(PoolSpec.self)
                choice = (uptime, CellChoice(hosts: try await store.hosts(.all), pools: pools))
            }
            guard var value = choice?.value else { continue }
            let batch = Array(waiting.sorted().prefix(Self.batch))
            var left = try await assign(batch, &value, time.now())
            left.formUnion(try await assignJobs(batch, &value.training, time.now()))
            choice?.value = value
            // Those that fit no cell are looked at again when the picture is new.
            retryAt = left.isEmpty ? nil : uptime + Self.roomAge
            waiting = Set(waiting.sorted().dropFirst(Self.batch)).union(left)
        }
    }

    private static let kinds: Set<Kind> = [.vm, .trainingJob]

    /// Workloads without a cell at the start.
    private func homeless() async throws -> Set<ID<Document>> {
        var found: Set<ID<Document>> = []
        for resource in try await store.all(.vm) where try VMRecord(resource).cell == nil {
            found.insert(resource.metadata.uid)
        }
        for resource in try await store.all(.trainingJob) where try TrainingJobRecord(resource).cell == nil {
            found.insert(resource.metadata.uid)
        }
        return found
    }

    /// - Returns: VMs that no cell can take.
    private func assign(_ uids: [ID<Document>], _ choice: inout CellChoice, _ now: Timestamp) async throws
        -> Set<ID<Document>>
    {
        var left: Set<ID<Document>> = []
        var writes: [StatusWrite] = []
        var ended: [ID<Document>] = []
        var flavors: [String: FlavorSpec] = [:]
        for resource in try await store.documents(.vm, uids: uids) {
            let vm = try VMRecord(resource)
            guard vm.cell == nil else { continue }
            if vm.metadata.deletionTimestamp != nil {
                ended.append(vm.metadata.uid)
                continue
            }
            if let name = vm.spec.flavor, flavors[name] == nil {
                flavors[name] = try await store.document(.flavor, project: nil, name: name).map {
                    try JSONDecoder().decode(FlavorSpec.self, from: Data($0.spec.utf8))
                }
            }
            guard let request = vm.request(flavors: flavors) else { continue }
            let cell = choice.choose(
                resources: request.resources, devices: request.devices, pool: request.pool,
                selector: request.hostSelector)
            if cell == nil { left.insert(vm.metadata.uid) }
            if let write = try write(vm, cell: cell, now: now) { writes.append(write) }
        }
        try await store.writeStatuses(writes, lease: lease)
        _ = try await store.finalize(ended, lease: lease)
        return left
    }

    private func write(_ vm: VMRecord, cell: String?, now: Timestamp) throws -> StatusWrite? {
        var status = vm.status
        status.observedGeneration = vm.metadata.generation
        status.cell = cell
        let reason: Reason = cell == nil ? .noCellFits : .waitingForPlacement
        let message =
            cell.map { "cell \($0) has most room" }
            ?? "no cell has the room, the devices, the pool and the labels"
        status.conditions.set(
            Condition(
                type: .scheduled, status: .no, reason: reason, message: message, lastTransitionTime: now))
        guard status != vm.status else { return nil }
        let event = EventDraft(
            kind: .vm, project: vm.metadata.project, name: vm.metadata.name, uid: vm.metadata.uid,
            reason: reason,
            message: message, source: "cells")
        return StatusWrite(
            uid: vm.metadata.uid, expected: vm.metadata.resourceVersion,
            status: try CellPipeline.encoded(status),
            event: event)
    }
}

extension VMRecord {
    /// The cell the VM lives in: its owner's choice, or ours.
    fileprivate var cell: String? { spec.cell ?? status.cell }
}
