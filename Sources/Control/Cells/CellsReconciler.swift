internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import VMPlacement

/// Gives every VM, training job and serving deployment that names no cell the one it lives in from then on.
/// One runs in the fleet, under the lease of what is done once in it. Members of a group that is placed whole
/// come with their cell.
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
            var left = try await assign(batch, &value)
            for kind in PartedKinds.all { left.formUnion(try await assign(kind, batch, &value.parted)) }
            choice?.value = value
            // Those that fit no cell are looked at again when the picture is new.
            retryAt = left.isEmpty ? nil : uptime + Self.roomAge
            waiting = Set(waiting.sorted().dropFirst(Self.batch)).union(left)
        }
    }

    private static let seekers: [any CellSeeker.Type] = [VMRecord.self] + PartedKinds.all
    private static let kinds = Set(seekers.map { $0.kind })

    /// Workloads without a cell at the start.
    private func homeless() async throws -> Set<ID<Document>> {
        var found: Set<ID<Document>> = []
        for seeker in Self.seekers {
            for resource in try await store.all(seeker.kind) where try seeker.init(resource).cell == nil {
                found.insert(resource.metadata.uid)
            }
        }
        return found
    }

    /// - Returns: VMs that no cell can take.
    private func assign(
        _ uids: [ID<Document>], _ choice: inout CellChoice
    ) async throws -> Set<ID<Document>> {
        let vms = try await waiting(VMRecord.self, uids)
        var flavors: [String: FlavorSpec] = [:]
        for name in Set(vms.compactMap(\.spec.flavor)).sorted() {
            flavors[name] = try await store.document(.flavor, project: nil, name: name).map {
                try JSONDecoder().decode(FlavorSpec.self, from: Data($0.spec.utf8))
            }
        }
        let cells = vms.compactMap { vm in
            // One whose flavor is gone waits for it.
            vm.request(flavors: flavors).map { request in
                let cell = choice.choose(
                    resources: request.resources, devices: request.devices, pool: request.pool,
                    selector: request.hostSelector)
                return (seeker: vm, cell: cell)
            }
        }
        return try await house(cells)
    }

    /// - Returns: workloads of a kind of parts that no cell can take.
    private func assign<Workload: PartedWorkload>(
        _ kind: Workload.Type, _ uids: [ID<Document>], _ choice: inout PartedCellChoice
    ) async throws -> Set<ID<Document>> {
        try await house(try await waiting(kind, uids).map { (seeker: $0, cell: choice.choose($0.wish)) })
    }

    /// Those of a kind that have no cell. Those that are deleted need none any more.
    private func waiting<Seeker: CellSeeker>(
        _ kind: Seeker.Type, _ uids: [ID<Document>]
    ) async throws -> [Seeker] {
        let homeless = try await store.documents(kind.kind, uids: uids).map { try kind.init($0) }
            .filter { $0.cell == nil }
        let ended = homeless.filter { $0.metadata.deletionTimestamp != nil }.map(\.metadata.uid)
        _ = try await store.finalize(ended, lease: lease)
        return homeless.filter { $0.metadata.deletionTimestamp == nil }
    }

    /// Writes down where they live from now on.
    ///
    /// - Returns: those without a cell.
    private func house<Seeker: CellSeeker>(
        _ cells: [(seeker: Seeker, cell: String?)]
    ) async throws -> Set<ID<Document>> {
        let now = time.now()
        let writes = try cells.compactMap { try write($0.seeker, cell: $0.cell, now: now) }
        try await store.writeStatuses(writes, lease: lease)
        return Set(cells.filter { $0.cell == nil }.map(\.seeker.metadata.uid))
    }

    private func write<Seeker: CellSeeker>(
        _ seeker: Seeker, cell: String?, now: Timestamp
    ) throws -> StatusWrite? {
        let metadata = seeker.metadata
        let reason: Reason = cell == nil ? .noCellFits : .waitingForPlacement
        let message = cell.map { "cell \($0) has most room" } ?? Seeker.nowhere
        let scheduled = Condition(
            type: .scheduled, status: .no, reason: reason, message: message, lastTransitionTime: now)
        guard let status = try seeker.housed(in: cell, scheduled) else { return nil }
        return StatusWrite(
            uid: metadata.uid, expected: metadata.resourceVersion, status: status,
            event: EventDraft(
                kind: Seeker.kind, project: metadata.project, name: metadata.name, uid: metadata.uid,
                reason: reason, message: message, source: "cells"))
    }
}
