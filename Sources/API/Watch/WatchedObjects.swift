internal import Control
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// What watchers are shown of documents: read and rendered once for all watchers of this process.
///
/// Of several watchers that need the same document one reads it and the others wait for that.
final class WatchedObjects: Sendable {
    /// A document as it goes into an event.
    struct Rendered: Sendable {
        var json: String
        var labels: [String: String]
        /// What field selectors compare.
        var fields: [String: String]

        init(_ resource: Resource) throws {
            json = try JSONAnswer.document(resource)
            labels = resource.metadata.labels
            fields = try resource.selectedFields()
        }

        /// An allocation in the form of a document. Its host is compared by id.
        init(_ allocation: Allocation) throws {
            json = try WatchedObjects.document(allocation)
            labels = [:]
            fields = [
                "cell": allocation.cell, "host": allocation.host.description,
                "state": allocation.state.rawValue, "workload": allocation.workload.name,
            ]
        }
    }

    /// Documents in each of the two generations that are kept; the older one is dropped when the younger is
    /// full. At 1 KiB each both are 16 MiB.
    private static let generationSize = 8192

    private struct Kept {
        /// The document was read after this position; nil where it was gone then.
        var readAfter: FeedCursor
        var rendered: Rendered?
    }

    private struct State {
        var young: [ID<Document>: Kept] = [:]
        var old: [ID<Document>: Kept] = [:]
        var loading: Set<ID<Document>> = []
        var waiters: [CheckedContinuation<Void, Never>] = []

        func kept(_ id: ID<Document>, from position: FeedCursor) -> Kept? {
            guard let kept = young[id] ?? old[id], kept.readAfter >= position else { return nil }
            return kept
        }

        mutating func keep(_ id: ID<Document>, _ kept: Kept) {
            if young.count >= WatchedObjects.generationSize {
                old = young
                young = [:]
            }
            young[id] = kept
        }
    }

    private enum Next {
        case ready([ID<Document>: Rendered])
        case load([ID<Document>])
        case wait
    }

    private let store: any Store
    private let state = Mutex(State())

    init(store: any Store) { self.store = store }

    /// What entries refer to, at least as new as the entries. Gone documents are missing: their deletion
    /// follows.
    func objects(of kind: Kind, _ entries: [FeedEntry]) async throws -> [ID<Document>: Rendered] {
        var needed: [ID<Document>: FeedCursor] = [:]
        for entry in entries where entry.final == nil { needed[entry.uid] = entry.cursor }
        guard let newest = entries.last?.cursor else { return [:] }
        while true {
            switch next(needed) {
            case .ready(let objects): return objects
            case .load(let ids): try await load(kind, ids, readAfter: newest)
            case .wait: await waitForLoad(needed)
            }
        }
    }

    private func next(_ needed: [ID<Document>: FeedCursor]) -> Next {
        state.withLock { state in
            let missing = needed.filter { state.kept($0.key, from: $0.value) == nil }.keys
            guard !missing.isEmpty else {
                var objects: [ID<Document>: Rendered] = [:]
                for (id, position) in needed { objects[id] = state.kept(id, from: position)?.rendered }
                return .ready(objects)
            }
            let free = missing.filter { !state.loading.contains($0) }.sorted()
            guard !free.isEmpty else { return .wait }
            state.loading.formUnion(free)
            return .load(free)
        }
    }

    private func load(_ kind: Kind, _ ids: [ID<Document>], readAfter position: FeedCursor) async throws {
        defer {
            let waiters = state.withLock { state in
                state.loading.subtract(ids)
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        let objects = try await read(kind, ids)
        state.withLock { state in
            for id in ids { state.keep(id, Kept(readAfter: position, rendered: objects[id])) }
        }
    }

    /// Returns when somebody's load has ended, well or not.
    private func waitForLoad(_ needed: [ID<Document>: FeedCursor]) async {
        await withCheckedContinuation { continuation in
            let goOn = state.withLock { state in
                guard needed.keys.contains(where: state.loading.contains) else { return true }
                state.waiters.append(continuation)
                return false
            }
            if goOn { continuation.resume() }
        }
    }

    private func read(_ kind: Kind, _ ids: [ID<Document>]) async throws -> [ID<Document>: Rendered] {
        var objects: [ID<Document>: Rendered] = [:]
        if kind == .allocation {
            for allocation in try await store.allocations(.ids(ids.map { ID($0.uuid) })) {
                objects[ID(allocation.id.uuid)] = try Rendered(allocation)
            }
        } else {
            for resource in try await store.documents(kind, uids: ids) {
                objects[resource.metadata.uid] = try Rendered(resource)
            }
        }
        return objects
    }

    /// An allocation in the form of a document.
    fileprivate static func document(_ allocation: Allocation) throws -> String {
        let resource = Resource(
            kind: .allocation,
            metadata: Metadata(
                name: allocation.id.description, uid: ID(allocation.id.uuid),
                project: allocation.workload.project,
                createdAt: allocation.createdAt),
            spec: try JSONAnswer.text(allocation),
            status: "{\"state\":\"\(allocation.state.rawValue)\"}")
        return try JSONAnswer.document(resource)
    }
}
