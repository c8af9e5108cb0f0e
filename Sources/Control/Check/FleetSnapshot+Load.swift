import Fleet
public import Store

extension FleetSnapshot {
    /// Reads at most so many times for one moment's state; a busier fleet answers with `isStable` false.
    static let attempts = 5
    /// Rows per call, so that no answer grows with the fleet.
    static let pageSize = 1000

    /// Reads everything the invariants are judged on.
    ///
    /// The store has no call that answers it all at once, so a quiet moment is looked for: the feed's
    /// position is taken, everything is read, and it counts when the feed has nothing after that position
    /// and a second reading of hosts and allocations equals the first. Every change of a host, an allocation
    /// or a document has an entry; the second reading is for changes whose entries an older open transaction
    /// still hides.
    /// - Parameters:
    ///   - journals: what the shims wrote down, each host's lines in order.
    ///   - observations: what hosts looked like before.
    ///   - feedStart: where the feed is read from; its retained beginning in this epoch by default.
    public static func load(
        from store: any Store, journals: [JournalEntry] = [], observations: [HostObservation] = [],
        feedStart: FeedCursor? = nil
    ) async throws -> FleetSnapshot {
        var snapshot = try await read(store, feedStart: feedStart)
        for _ in 1..<attempts where !snapshot.isStable {
            snapshot = try await read(store, feedStart: feedStart)
        }
        snapshot.journals = journals
        snapshot.observations = observations
        return snapshot
    }

    private static func read(_ store: any Store, feedStart: FeedCursor?) async throws -> FleetSnapshot {
        let start = try await store.feedPosition()
        let ledger = try await readLedger(store)
        let workloads = try await readWorkloads(store)
        let cells = Set(ledger.hosts.map(\.cell)).union(ledger.allocations.map(\.cell))
        let plans = try await readPlans(store, cells: cells.union(try await readCells(store)).sorted())
        let quotas = try await store.quotas()
        let feed = try await readFeed(store, from: feedStart)
        let events = try await readEvents(store)
        let isSame = try await readLedger(store) == ledger
        let isQuiet = try await isUnchanged(store, since: start)
        return FleetSnapshot(
            hosts: ledger.hosts, allocations: ledger.allocations, workloads: workloads, plans: plans,
            feed: feed, events: events, quotas: quotas, isStable: isQuiet && isSame)
    }

    private struct Ledger: Equatable {
        var hosts: [HostRecord]
        var allocations: [Allocation]
    }

    private static func readLedger(_ store: any Store) async throws -> Ledger {
        let hosts = try await store.hosts(.all)
        var allocations: [Allocation] = []
        var before: ID<Allocation>?
        while true {
            // Pages go from the newest id to the oldest.
            let page = try await store.allocations(.page(after: before, limit: pageSize))
            allocations += page
            guard let oldest = page.last, page.count == pageSize else { break }
            before = oldest.id
        }
        return Ledger(hosts: hosts, allocations: allocations.sorted { $0.id < $1.id })
    }

    private static func readWorkloads(_ store: any Store) async throws -> [WorkloadRecord] {
        var documents: [Resource] = []
        for kind in Kind.allCases where kind.isTenant && kind.isDocument {
            documents += try await store.all(kind)
        }
        return documents.map { document in
            WorkloadRecord(
                uid: document.metadata.uid, kind: document.kind, project: document.metadata.project ?? "",
                name: document.metadata.name, generation: document.metadata.generation,
                deletionTimestamp: document.metadata.deletionTimestamp)
        }
    }

    private static func readCells(_ store: any Store) async throws -> [String] {
        try await store.all(.cell).map(\.metadata.name)
    }

    /// Every line of plans from its head back to its first, oldest first. A line that comes back to a plan
    /// ends with that plan in it twice.
    private static func readPlans(_ store: any Store, cells: [String]) async throws -> [ID<Plan>] {
        var plans: [ID<Plan>] = []
        for cell in cells {
            for engine in Plan.Engine.allCases {
                var line: [ID<Plan>] = []
                var seen: Set<ID<Plan>> = []
                var next = try await store.planHead(cell: cell, engine: engine)
                while let id = next {
                    line.append(id)
                    guard seen.insert(id).inserted else { break }
                    next = try await store.plan(id)?.parent
                }
                plans += line.reversed()
            }
        }
        return plans
    }

    /// - Returns: nothing when the beginning is no longer kept.
    private static func readFeed(
        _ store: any Store, from start: FeedCursor?
    ) async throws -> [FeedEntry] {
        let epoch = try await store.clusterState().epoch
        var cursor = start ?? FeedCursor(epoch: epoch, transaction: 0, sequence: 0)
        var entries: [FeedEntry] = []
        do {
            while true {
                let page = try await store.feed(after: cursor, limit: pageSize)
                if page.entries.isEmpty { return entries }
                entries += page.entries
                cursor = page.next
            }
        } catch StoreError.watchExpired {
            return []
        }
    }

    private static func isUnchanged(_ store: any Store, since start: FeedCursor) async throws -> Bool {
        do {
            return try await store.feed(after: start, limit: 1).entries.isEmpty
        } catch StoreError.watchExpired {
            return false
        }
    }

    private static func readEvents(_ store: any Store) async throws -> [EventRecord] {
        var events: [EventRecord] = []
        while true {
            let page = try await store.events(EventQuery(after: events.last?.id ?? 0, limit: pageSize))
            events += page
            if page.count < pageSize { return events }
        }
    }
}
