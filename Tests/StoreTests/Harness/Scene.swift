import AgentProtocol
import Fleet
import Store
import Testing

/// A small fleet on a store under test: cell `a` with pool `p`, project `team`, and on request hosts `h1`,
/// `h2`, … of one session and the cell's lease.
struct Scene: Sendable {
    static let start = Timestamp(microseconds: 1_700_000_000_000_000)
    static let user = WriteContext(actor: "user/ann", requestID: "r1", verb: "create")

    let harness: any StoreHarness
    let ids = SeededIDs(seed: 1)

    var store: any Store { harness.store }

    /// Runs a test on a fresh store and gives it up afterwards.
    static func run(
        _ implementation: StoreImplementation, hosts: Int = 0, quota: Quota? = nil,
        _ test: (Scene) async throws -> Void
    ) async throws {
        try await implementation.with { harness in
            let scene = Scene(harness: harness)
            try await scene.populate(hosts: hosts, quota: quota)
            try await test(scene)
        }
    }

    private func populate(hosts: Int, quota: Quota?) async throws {
        try await create(.cell, "a", spec: CellSpec())
        try await create(.pool, "p", spec: PoolSpec(cell: "a", admits: [.vm]))
        try await create(.project, "team", spec: ProjectSpec(quota: quota))
        guard hosts > 0 else { return }
        let session = try await join("s1", pattern: "h*")
        let outcome = try await hello(session, (1...hosts).map { hostHello("h\($0)") })
        try #require(outcome.refused.isEmpty)
    }

    func feed(after cursor: FeedCursor, limit: Int) async throws -> FeedPage {
        try await harness.settle()
        return try await store.feed(after: cursor, limit: limit)
    }

    func feedDelay() async throws -> Duration {
        try await harness.settle()
        return try await store.feedDelay()
    }

    func feedPosition() async throws -> FeedCursor {
        try await harness.settle()
        return try await store.feedPosition()
    }

    func list(_ query: ListQuery) async throws -> DocumentPage {
        try await harness.settle()
        return try await store.list(query)
    }

    func advance(_ seconds: Double) async throws {
        try await harness.advance(by: .microseconds(Int64(seconds * 1_000_000)))
    }
}

extension Resource {
    /// The same document with its JSON in one form: stores are free in how they write it.
    var canonical: Resource {
        var copy = self
        // why `try?`: what is no JSON stays as it is.
        if let spec = try? JSONContent(spec) { copy.spec = spec.canonical }
        if let status = try? JSONContent(status) { copy.status = status.canonical }
        return copy
    }
}

// MARK: Documents

extension Scene {
    func draft(
        _ kind: Kind, _ name: String, project: String? = nil, spec: String, labels: [String: String] = [:],
        finalizers: [String] = [], status: String = "{}"
    ) -> DocumentDraft {
        DocumentDraft(
            uid: ids.id(), kind: kind, project: project, name: name, labels: labels,
            finalizers: finalizers, spec: spec, status: status)
    }

    @discardableResult
    func create(
        _ kind: Kind, _ name: String, project: String? = nil, spec: some Encodable,
        labels: [String: String] = [:], finalizers: [String] = []
    ) async throws -> Resource {
        let draft = draft(
            kind, name, project: project, spec: try DocumentJSON.encode(spec), labels: labels,
            finalizers: finalizers)
        return try #require(try await store.create([draft], context: Self.user).first)
    }

    @discardableResult
    func createVM(
        _ name: String, project: String = "team", spec: VMSpec = VMSpec(),
        finalizers: [String] = [Finalizer.allocations]
    ) async throws -> Resource {
        try await create(.vm, name, project: project, spec: spec, finalizers: finalizers)
    }

    func document(_ kind: Kind, _ name: String, project: String? = nil) async throws -> Resource {
        try #require(try await store.document(kind, project: project, name: name))
    }

    @discardableResult
    func update(
        _ kind: Kind, _ name: String, project: String? = nil, precondition: Precondition = .none,
        _ change: @Sendable (inout Resource) throws -> Void
    ) async throws -> Resource {
        try await store.update(
            kind, project: project, name: name, precondition: precondition,
            context: WriteContext(actor: "user/ann", verb: "update"), change: change)
    }

    @discardableResult
    func delete(
        _ kind: Kind, _ name: String, project: String? = nil, precondition: Precondition = .none
    ) async throws -> (resource: Resource, removed: Bool) {
        try await store.delete(
            kind, project: project, name: name, precondition: precondition,
            context: WriteContext(actor: "user/ann", verb: "delete"))
    }

    func events(_ reason: Reason? = nil, kind: Kind? = nil, name: String? = nil) async throws -> [EventRecord]
    {
        try await store.events(EventQuery(kind: kind, name: name, reason: reason, after: 0, limit: 100_000))
    }

    func audit() async throws -> [AuditRecord] { try await store.audit(AuditQuery(limit: 100_000)) }
}
