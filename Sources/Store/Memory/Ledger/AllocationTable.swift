import Fleet

/// Allocations with the indexes that the ledger's questions need.
struct AllocationTable {
    private var rows: [ID<Allocation>: Allocation] = [:]
    private var all = SortedSet<ID<Allocation>>()
    private var unreleased = SortedSet<ID<Allocation>>()
    private var unreleasedByHost: [ID<Document>: SortedSet<ID<Allocation>>] = [:]
    private var byWorkload: [ID<Document>: SortedSet<ID<Allocation>>] = [:]
    /// Devices under an unreleased allocation, wherever they are installed by now.
    private var heldDevices: Set<String> = []

    subscript(id: ID<Allocation>) -> Allocation? { rows[id] }

    func live(onHost host: ID<Document>) -> [ID<Allocation>] { unreleasedByHost[host]?.elements ?? [] }

    func live(ofWorkload uid: ID<Document>) -> [ID<Allocation>] {
        (byWorkload[uid]?.elements ?? []).filter { rows[$0]?.state.consumesCapacity == true }
    }

    func live(inProject project: String) -> [ID<Allocation>] {
        unreleased.elements.filter { rows[$0]?.workload.project == project }
    }

    /// Whether a part of a workload has an allocation that is not released; one that stands by does not
    /// count.
    func holds(_ workload: WorkloadReference, beside source: ID<Allocation>? = nil) -> Bool {
        live(ofWorkload: workload.uid).contains {
            $0 != source && rows[$0].map { $0.workload.part == workload.part && !$0.isStandby } ?? false
        }
    }

    /// The reservation of a migration that is under way.
    func standby(of migration: ID<PartMigration>, workload uid: ID<Document>) -> Allocation? {
        live(ofWorkload: uid).compactMap { rows[$0] }.first {
            $0.isStandby && $0.arrival?.migration == migration
        }
    }

    /// What a migration that is under way takes its part from.
    func source(of migration: ID<PartMigration>, workload uid: ID<Document>) -> Allocation? {
        live(ofWorkload: uid).compactMap { rows[$0] }.first { $0.departure == migration }
    }

    /// Whether an unreleased allocation holds one of the devices.
    func holdsDevice(of devices: [String]) -> Bool { devices.contains { heldDevices.contains($0) } }

    /// Inserts or replaces.
    mutating func put(_ allocation: Allocation) {
        rows[allocation.id] = allocation
        all.insert(allocation.id)
        byWorkload[allocation.workload.uid, default: SortedSet()].insert(allocation.id)
        if allocation.state.consumesCapacity {
            heldDevices.formUnion(allocation.devices)
            unreleased.insert(allocation.id)
            unreleasedByHost[allocation.host, default: SortedSet()].insert(allocation.id)
        } else {
            heldDevices.subtract(allocation.devices)
            unreleased.remove(allocation.id)
            unreleasedByHost[allocation.host]?.remove(allocation.id)
        }
    }

    /// Forgets an allocation of a group that is refused after all.
    mutating func remove(_ allocation: Allocation) {
        rows[allocation.id] = nil
        all.remove(allocation.id)
        heldDevices.subtract(allocation.devices)
        unreleased.remove(allocation.id)
        unreleasedByHost[allocation.host]?.remove(allocation.id)
        byWorkload[allocation.workload.uid]?.remove(allocation.id)
    }

    func matching(_ filter: AllocationFilter) -> [Allocation] {
        ids(filter).compactMap { rows[$0] }
    }

    /// Ascending but for pages and ends, which hold the greatest ids, descending.
    private func ids(_ filter: AllocationFilter) -> [ID<Allocation>] {
        switch filter {
        case .live: unreleased.elements
        case .cell(let cell): unreleased.elements.filter { rows[$0]?.cell == cell }
        case .hosts(let hosts): Set(hosts).flatMap { live(onHost: $0) }.sorted()
        case .workloads(let uids): Set(uids).flatMap { byWorkload[$0]?.elements ?? [] }.sorted()
        case .ids(let ids): Set(ids).sorted()
        case .page(let after, let limit): all.prefix(before: after).suffix(max(0, limit)).reversed()
        case .ended(let cell, let limit):
            all.elements.reversed().lazy
                .filter { rows[$0]?.cell == cell && rows[$0]?.state == .released }.prefix(max(0, limit)).map(
                    \.self)
        }
    }
}
