public import APITypes
public import Fleet
internal import Foundation
internal import Synchronization

/// A control plane in memory, true to the contract as far as the client goes, with misbehaviour on demand.
public final class FakeControlPlane: Sendable {
    /// What happens to a request instead of the right thing.
    public enum Mischief: Sendable {
        case drop
        /// Acts on the request, then drops the connection instead of answering.
        case dropAfterwards
        case problem(Problem, retryAfter: Int? = nil)
    }

    struct State {
        var documents: [String: WireDocument] = [:]
        var version = 1
        var changes: [(collection: String, event: WatchEvent)] = []
        var answers: [String: TestReaction] = [:]
        var requests: [TestRequest] = []
        var mischief: [Mischief] = []
        var watchers: [(collection: String, stream: TestStream)] = []
        var oldestVersion = 1
        var versions: [String: [WireVersion]] = [:]
        var events: [EventRecord] = []
        var operations: [OperationRecord] = []
        var allocations: [Allocation] = []
        var violations: [InvariantViolation] = []
        var fleetTime = Timestamp(seconds: 1_767_225_600)
        var onRequest: @Sendable (TestRequest) -> Void = { _ in }
    }

    private let state = Mutex(State())

    public init() {}

    public var handler: TestServer.Handler { { [self] in handle($0) } }
    public var requests: [TestRequest] { state.withLock { $0.requests } }

    /// Requests as `METHOD path`, those of the given method only.
    public func log(_ method: String) -> [String] {
        requests.filter { $0.method == method }.map { "\($0.method) \($0.path)" }
    }

    public func document(_ path: String) -> WireDocument? { state.withLock { $0.documents["/v1/" + path] } }
    public var documentCount: Int { state.withLock { $0.documents.count } }

    /// The next requests meet these, one each.
    public func misbehave(_ mischief: [Mischief]) { state.withLock { $0.mischief += mischief } }
    public func onRequest(_ body: @escaping @Sendable (TestRequest) -> Void) {
        state.withLock { $0.onRequest = body }
    }
    public func add(_ event: EventRecord) { state.withLock { $0.events.append(event) } }
    public func add(_ allocation: Allocation) { state.withLock { $0.allocations.append(allocation) } }
    public func add(_ operation: OperationRecord) { state.withLock { $0.operations.append(operation) } }
    public func add(_ violation: InvariantViolation) { state.withLock { $0.violations.append(violation) } }

    /// Forgets what watches would resume from, and ends them.
    public func forgetChanges() {
        state.withLock { state in
            state.version += 1
            state.oldestVersion = state.version
            state.changes = []
        }
        endWatches()
    }

    /// Breaks every open watch.
    public func endWatches() {
        let watchers = state.withLock { state in
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.stream.finish() }
    }

    /// Puts a document in place as controllers would, past the API.
    public func put(_ document: WireDocument, at path: String) {
        state.withLock { $0.store(document, at: "/v1/" + path, change: nil) }
    }

    public func remove(_ path: String) { state.withLock { $0.remove("/v1/" + path) } }

    private func handle(_ request: TestRequest) -> TestReaction {
        let (mischief, observe) = state.withLock { state -> (Mischief?, @Sendable (TestRequest) -> Void) in
            state.requests.append(request)
            return (state.mischief.isEmpty ? nil : state.mischief.removeFirst(), state.onRequest)
        }
        observe(request)
        switch mischief {
        case .drop: return .drop
        case .problem(let problem, let retryAfter): return Self.answer(problem, retryAfter: retryAfter)
        case .dropAfterwards:
            _ = state.withLock { $0.respond(to: request) }
            return .drop
        case nil: return state.withLock { $0.respond(to: request) }
        }
    }

    static func answer(_ problem: Problem, retryAfter: Int? = nil) -> TestReaction {
        var headers = ["content-type": "application/problem+json"]
        if let retryAfter { headers["retry-after"] = String(retryAfter) }
        return .answer(status: problem.status, headers: headers, body: encode(problem))
    }

    static func answer(_ status: Int, _ value: some Encodable) -> TestReaction {
        .answer(status: status, headers: ["content-type": "application/json"], body: encode(value))
    }

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ body: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(body))
    }
}

extension FakeControlPlane {
    /// A 200 with a value, for handlers of a test's own.
    public static func json(_ value: some Encodable) -> TestReaction { answer(200, value) }
    /// A problem, for handlers of a test's own.
    public static func problem(_ problem: Problem) -> TestReaction { answer(problem) }
}
