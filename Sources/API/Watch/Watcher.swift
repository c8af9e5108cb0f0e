internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import Store
internal import Telemetry

/// Watches over the feed: server-sent events and long-poll. Each watcher keeps a cursor of its own and reads
/// when it can write, so a slow one delays nobody and holds no memory.
struct Watcher: Sendable {
    /// A client that hears nothing for so long may think the connection dead.
    static let bookmarkEvery = Duration.seconds(10)
    /// How long a stream lets changes come together: many watchers of a busy fleet would otherwise be woken
    /// for each change alone.
    static let gathering = Duration.milliseconds(20)

    struct Scope: Sendable {
        var kind: Kind
        var project: String?
        /// Projects that the caller sees; nil is all.
        var projects: Set<String>?
        var labels: [String: String]
        /// Values that fields must have, by the names of selectors; the host of an allocation by its id.
        var fields: [String: String] = [:]

        /// Fields that an object keeps for good: one with others was never in view.
        private var kept: Set<String> {
            kind == .allocation ? ["cell", "host", "workload"] : ["name"]
        }

        /// What watchers are told of a change; nil is nothing. What no longer matches has left their view.
        func change(_ change: FeedEntry.Change, of object: WatchedObjects.Rendered) -> WatchEvent.Change? {
            let missed = fields.filter { object.fields[$0.key] != $0.value }.keys
            guard !missed.contains(where: kept.contains) else { return nil }
            let matches = missed.isEmpty && labels.allSatisfy { object.labels[$0] == $1 }
            return switch (change, matches) {
            case (.created, true): .added
            case (.created, false): nil
            case (.updated, true): .modified
            case (.updated, false), (.deleted, _): .deleted
            }
        }

        func covers(_ entry: FeedEntry) -> Bool {
            guard entry.kind == kind, project == nil || entry.project == project else { return false }
            guard let projects, kind.isTenant || kind == .project || kind == .allocation else { return true }
            return projects.contains(kind == .project ? entry.name : entry.project ?? "")
        }
    }

    private let store: any Store
    private let hub: FeedHub
    private let objects: WatchedObjects
    private let metrics: MetricRegistry<DaemonMetric>

    init(store: any Store, hub: FeedHub, metrics: MetricRegistry<DaemonMetric>) {
        self.store = store
        self.hub = hub
        self.metrics = metrics
        objects = WatchedObjects(store: store)
    }

    func answer(_ watch: ListParameters.Watch, since: String, scope: Scope) async throws -> Response {
        let cursor = try await store.feedPosition(resourceVersion: since)
        switch watch {
        case .longPoll(let seconds): return try await poll(from: cursor, seconds: seconds, scope: scope)
        case .stream(let seconds):
            // An expired cursor must be a 410, not a stream that ends.
            _ = try await hub.entries(after: cursor)
            return stream(from: cursor, seconds: seconds, scope: scope)
        }
    }

    /// Waits for anything to change after a place in the feed.
    func waitForChange(after cursor: FeedCursor, timeout: Duration) async throws {
        try await hub.waitForClient(after: cursor, timeout: timeout, gathering: Self.gathering)
    }

    private func poll(from start: FeedCursor, seconds: Double, scope: Scope) async throws -> Response {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        var cursor = start
        while true {
            let (events, next) = try await events(after: cursor, scope: scope)
            cursor = next
            let left = clock.now.duration(to: deadline)
            if !events.isEmpty || left <= .zero {
                return JSONAnswer.response(
                    "{\"events\":[\(events.joined(separator: ","))],\"resourceVersion\":\"\(cursor.text)\"}")
            }
            try await hub.waitForClient(after: cursor, timeout: left)
        }
    }

    private func stream(from start: FeedCursor, seconds: Double?, scope: Scope) -> Response {
        let body = ResponseBody { writer in
            self.metrics.add(.watchers, [scope.kind.plural])
            defer { self.metrics.add(.watchers, [scope.kind.plural], by: -1) }
            let clock = ContinuousClock()
            var cursor = start
            var bookmarkDue = clock.now
            let deadline = seconds.map { clock.now.advanced(by: .seconds($0)) }
            do {
                while !Task.isCancelled {
                    let left = deadline.map { clock.now.duration(to: $0) } ?? Self.bookmarkEvery
                    let (events, next) = try await self.events(after: cursor, scope: scope)
                    if !events.isEmpty {
                        let text = events.map { "data: \($0)\n\n" }.joined()
                        try await writer.write(ByteBuffer(string: text))
                        bookmarkDue = clock.now.advanced(by: Self.bookmarkEvery)
                    } else if clock.now >= bookmarkDue {
                        let bookmark = "{\"resourceVersion\":\"\(next.text)\",\"type\":\"BOOKMARK\"}"
                        try await writer.write(ByteBuffer(string: "data: \(bookmark)\n\n"))
                        bookmarkDue = clock.now.advanced(by: Self.bookmarkEvery)
                    }
                    if next == cursor {
                        if left <= .zero { break }
                        try await self.hub.waitForClient(
                            after: cursor, timeout: min(left, clock.now.duration(to: bookmarkDue)),
                            gathering: Self.gathering)
                    }
                    cursor = next
                }
            } catch StoreError.unavailable {
                // The end of the stream sends the client to another controller.
            } catch StoreError.watchExpired {
                try await writer.write(ByteBuffer(string: "event: expired\ndata: {}\n\n"))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    /// Everything in scope that is known now, as JSON, and where it ends.
    private func events(after start: FeedCursor, scope: Scope) async throws -> ([String], FeedCursor) {
        let page = try await hub.entries(after: start)
        let entries = page.entries.filter(scope.covers)
        guard !entries.isEmpty else { return ([], page.next) }
        let rendered = try await objects.objects(of: scope.kind, entries)
        var events: [String] = []
        for entry in entries {
            let object = try entry.final.map(WatchedObjects.Rendered.init)
            guard let object = object ?? rendered[entry.uid],
                let type = scope.change(entry.change, of: object)
            else { continue }
            events.append(
                "{\"object\":\(object.json),\"resourceVersion\":\"\(entry.cursor.text)\",\"type\":\"\(type.rawValue)\"}"
            )
        }
        return (events, page.next)
    }
}
