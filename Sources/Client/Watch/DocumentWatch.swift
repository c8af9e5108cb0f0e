public import APITypes
internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore

/// One step of a watch.
public enum WatchStep: Sendable {
    /// Everything there is now: the first step, and again whenever the server no longer had the changes since
    /// the last one. What is not in it is gone.
    case listed([WireDocument])
    case changed(WatchEvent)
}

/// The documents of a collection, then every change of them, without gaps.
///
/// Broken connections are resumed from the last version seen, at another controller when needed; a version
/// that is too old leads to a new ``WatchStep/listed(_:)``. Ends only by an error or cancellation.
public struct DocumentWatch: AsyncSequence {
    public typealias Element = WatchStep

    let client: RESTClient
    let collection: Collection
    let options: ListOptions

    public func makeAsyncIterator() -> Iterator {
        Iterator(client: client, collection: collection, options: options)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let client: RESTClient
        let collection: Collection
        let options: ListOptions
        private var version: String?
        private var pending: ArraySlice<WatchEvent> = []
        private var stream: HTTPClientResponse.Body.AsyncIterator?
        private var parser = ServerSentEventParser()
        /// Streams in a row that ended without an event; a server that only hangs up is not asked in a loop.
        private var barren = 0

        init(client: RESTClient, collection: Collection, options: ListOptions) {
            self.client = client
            self.collection = collection
            self.options = options
        }

        /// - Throws: ``ClientError`` when the servers refuse, or cannot be reached for longer than the retry
        ///   policy lasts.
        public mutating func next() async throws -> WatchStep? {
            while true {
                if let event = pending.popFirst() {
                    version = event.resourceVersion
                    barren = 0
                    if event.type == .bookmark { continue }
                    return .changed(event)
                }
                guard let since = version else { return try await list() }
                do {
                    try await advance(since: since)
                } catch let error as ClientError where error.isProblem(.watchExpired) {
                    version = nil
                    stream = nil
                }
            }
        }

        private mutating func list() async throws -> WatchStep {
            let listing = try await client.listAll(collection, options)
            version = listing.resourceVersion
            return .listed(listing.items)
        }

        /// Opens the stream or reads its next bytes into `pending`.
        private mutating func advance(since: String) async throws {
            guard stream != nil else {
                try await client.pauseBeforeWatch(barren: barren)
                stream = try await client.openWatch(collection, options, since: since)
                parser = ServerSentEventParser()
                barren += 1
                return
            }
            do {
                guard let bytes = try await stream?.next(isolation: #isolation) else {
                    stream = nil
                    return
                }
                pending = try parser.feed(bytes.readableBytesView).map(Self.event)[...]
            } catch let error as ClientError {
                throw error
            } catch {
                try Task.checkCancellation()
                stream = nil
            }
        }

        private static func event(_ data: [UInt8]) throws -> WatchEvent {
            let data = Data(data)
            if let problem = WireJSON.recognise(Problem.self, in: data) {
                throw ClientError.problem(problem)
            }
            return try WireJSON.decode(WatchEvent.self, from: data)
        }
    }
}

@available(*, unavailable)
extension DocumentWatch.Iterator: Sendable {}

extension RESTClient {
    /// Watches with server-sent events.
    public func watch(_ collection: Collection, _ options: ListOptions = .init()) -> DocumentWatch {
        DocumentWatch(client: self, collection: collection, options: options)
    }

    /// Changes after `version` by long-poll: one answer, empty when nothing changed within `wait`.
    public func changes(
        in collection: Collection, after version: String, wait: Duration, _ options: ListOptions = .init()
    ) async throws -> WatchBatch {
        var call = Call.get(collection.path, query: options.query)
        call.query += [("wait", String(wait.components.seconds)), ("since", version)]
        call.extraWait = wait
        return try await send(call, as: WatchBatch.self)
    }

    func openWatch(
        _ collection: Collection, _ options: ListOptions, since: String
    ) async throws -> HTTPClientResponse.Body.AsyncIterator {
        var selection = options
        selection.limit = nil
        selection.cursor = nil
        var call = Call.get(collection.path, query: selection.query)
        call.query += [("watch", "sse"), ("since", since)]
        call.headers = [("accept", "text/event-stream")]
        return try await repeating(call) { $0.body.makeAsyncIterator() }
    }

    /// Nothing before the first two streams, then a pause that doubles up to the policy's cap.
    func pauseBeforeWatch(barren: Int) async throws {
        guard barren > 1 else { return }
        let pause = min(configuration.retry.cap, configuration.retry.base * (1 << min(barren - 2, 20)))
        try await seams.sleep(pause)
    }
}
