import Fleet
import Store

/// Everything a store lets anybody see, as lines that equal stores give alike: versions are each store's own
/// and left out, ids of hosts, which a store draws, are replaced by their names, messages are free.
struct CanonicalDump {
    /// Where the reader of the feed stands in this store.
    private var cursor: FeedCursor?
    /// Newest event and audit row that were read.
    private var lastEvent: Int64 = 0
    private var lastAudit: Int64 = 0
    /// Lines of documents that may still be as they were.
    private var known: [ID<Document>: (resource: Resource, line: String)] = [:]

    static func hostNames(_ store: any Store) async throws -> [ID<Document>: String] {
        var names: [ID<Document>: String] = [:]
        for host in try await store.hosts(.all) { names[host.id] = host.name }
        return names
    }

    static func line(of resource: Resource) -> String {
        let metadata = resource.metadata
        let labels = metadata.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let annotations = metadata.annotations.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let uid = resource.kind == .host ? "" : metadata.uid.description
        let status = (try? JSONContent(resource.status).canonical) ?? "not JSON"
        let spec = (try? JSONContent(resource.spec).canonical) ?? "not JSON"
        return """
            \(resource.kind.rawValue) \(metadata.project ?? "-")/\(metadata.name) \(uid) \
            g\(metadata.generation) r\(metadata.revision) \(labels) \(annotations) \(metadata.finalizers) \
            \(metadata.createdAt) \(metadata.deletionTimestamp.map(\.description) ?? "-") \(spec) \(status)
            """
    }

    /// The lines, and the feed since the last time.
    mutating func lines(of harness: any StoreHarness) async throws -> [String] {
        let store = harness.store
        try await harness.settle()
        let names = try await Self.hostNames(store)
        var lines: [String] = []
        for kind in Kind.allCases where kind.isDocument {
            for resource in try await store.list(ListQuery(kind: kind, limit: 1000)).documents {
                let uid = resource.metadata.uid
                if known[uid]?.resource != resource { known[uid] = (resource, Self.line(of: resource)) }
                lines.append(known[uid]?.line ?? "")
                if kind.keepsHistory { lines += try await versionLines(store, resource) }
            }
        }
        lines += try await store.hosts(.all).map { Self.line(of: $0) }.sorted()
        let allocations = try await store.allocations(.page(after: nil, limit: 100_000))
        lines += allocations.map { Self.line(of: $0, on: names[$0.host]) }
        lines += try await assignmentLines(store, names)
        lines += try await store.vmHistory(VMHistoryQuery(limit: 100_000)).map(Self.line)
        lines += try await recordLines(store)
        lines += try await logLines(store)
        lines += try await feedLines(store, names)
        return lines
    }

    private func versionLines(_ store: any Store, _ resource: Resource) async throws -> [String] {
        let name = resource.metadata.name
        return try await store.versions(
            of: resource.kind, project: resource.metadata.project, name: name, before: nil, limit: 1000
        ).map { version in
            let spec = (try? JSONContent(version.spec).canonical) ?? "not JSON"
            return "version \(name) \(version.version) \(version.at) \(version.actor) \(version.verb) \(spec)"
        }
    }

    private static func line(of host: HostRecord) -> String {
        let labels = host.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return """
            ledger \(host.name) \(host.cell)/\(host.pool) \(labels) \(host.domain) \(host.substrate) \
            g\(host.generation) a\(host.assignment) \(host.cordoned) \(host.draining) \(host.contact) \
            \(host.session.map(\.description) ?? "-") \(host.room) \(host.devices) \(host.takenDevices)
            """
    }

    private static func line(of allocation: Allocation, on host: String?) -> String {
        """
        allocation \(allocation.id) \(allocation.workload) \(allocation.cell) \(host ?? "-") \
        \(allocation.class) \(allocation.resources) \(allocation.devices) \(allocation.state) \
        \(allocation.quarantined) \(allocation.plan.map(\.description) ?? "-") \(allocation.onPartition) \
        \(allocation.createdAt) \(allocation.releasedAt.map(\.description) ?? "-") \
        \(allocation.arrival.map { "\($0)" } ?? "-") \(allocation.departure.map(\.description) ?? "-") \
        \(allocation.peakMilliCPU ?? -1)
        """
    }

    private static func line(of life: VMHistoryRecord) -> String {
        let stays = life.stays.map { stay in
            // A host that is gone has its id alone, which the store drew.
            let host = ID<Document>(stay.host) == nil ? stay.host : "-"
            return "\(host) \(stay.from) \(stay.until.map(\.description) ?? "-")"
        }
        return """
            life \(life.uid) \(life.project)/\(life.name) \(life.cell)/\(life.pool) \
            \(life.labels.sorted { $0.key < $1.key }) \(life.class) \(life.resources) \(life.devices) \
            \(life.lifetimeHintSeconds ?? -1) \(life.startedAt) \(life.endedAt.map(\.description) ?? "-") \(stays)
            """
    }

    private func assignmentLines(
        _ store: any Store, _ names: [ID<Document>: String]
    ) async throws -> [String] {
        try await store.assignments(hosts: Array(names.keys), known: [:]).map { record in
            "assignment \(record.name) \(record.generation) \(record.allocations.map(\.id))"
        }.sorted()
    }

    private func recordLines(_ store: any Store) async throws -> [String] {
        var lines = try await store.quotas().map { "\($0)" }
        lines += try await store.leases().map { "\($0)" }
        lines += try await store.sessions().map { "\($0)" }
        for cell in History.cells {
            let head = try await store.planHead(cell: cell, engine: .vmPlacement)
            lines.append("head \(cell) \(head.map(\.description) ?? "-")")
        }
        let state = try await store.clusterState()
        lines.append("cluster \(state.epoch) \(state.quarantineUntil.map(\.description) ?? "-")")
        lines += try await store.operations(limit: 1000).map { "\($0)" }
        lines += try await store.scopeRates().map { "\($0)" }
        lines += try await store.constraints(ended: true).map { "\($0)" }
        lines += try await store.decisions(DecisionQuery(limit: 1000)).map { "\($0)" }
        return lines
    }

    /// Audit rows and events since the last time. One call writes its rows in an order of its own.
    private mutating func logLines(_ store: any Store) async throws -> [String] {
        let audit = try await store.audit(AuditQuery(limit: 200)).filter { $0.id > lastAudit }
        lastAudit = audit.first?.id ?? lastAudit
        let events = try await store.events(EventQuery(after: lastEvent, limit: 10_000))
        lastEvent = events.last?.id ?? lastEvent
        let rows = audit.map { row in
            let kind = row.kind?.rawValue ?? "-"
            return "audit \(row.at) \(row.actor) \(row.verb) \(kind) \(row.project ?? "-")/\(row.name)"
        }
        let told = events.map {
            "event \($0.at) \($0.kind.rawValue) \($0.project ?? "-")/\($0.name) \($0.reason) \($0.source)"
        }
        return rows.sorted() + told.sorted()
    }

    private mutating func feedLines(
        _ store: any Store, _ names: [ID<Document>: String]
    ) async throws -> [String] {
        guard let from = cursor else {
            cursor = try await store.feedPosition()
            return []
        }
        do {
            let page = try await store.feed(after: from, limit: 10_000)
            cursor = page.next
            let transactions = Dictionary(grouping: page.entries, by: \.cursor.transaction)
            return transactions.sorted { $0.key < $1.key }.flatMap { _, entries in
                entries.map { entry in
                    let subject = entry.kind == .allocation ? entry.uid.description : entry.name
                    let last = entry.final.map(Self.line) ?? "-"
                    let host = entry.host.flatMap { names[$0] } ?? "-"
                    return """
                        feed \(entry.kind.rawValue) \(entry.project ?? "-")/\(subject) \(entry.change) \
                        \(entry.cell ?? "-") \(host) \(last)
                        """
                }.sorted()
            }
        } catch StoreError.watchExpired {
            cursor = try await store.feedPosition()
            return ["feed expired"]
        }
    }
}
