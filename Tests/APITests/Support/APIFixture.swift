import AgentProtocol
import APITypes
import Control
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Store
import Synchronization
import Testing

@testable import API

/// The router over a store in memory, with one object of every kind and a caller of every sort.
struct APIFixture {
    static let start = Timestamp(seconds: 1_700_000_000)

    let store: MemoryStore
    let server: APIServer
    let uptime = ManualUptime()

    /// Callers by name, with their bearer tokens. `@shop` is bound to the project.
    static let callers = ["admin", "operator", "viewer", "operator@shop", "viewer@shop"]

    init(limits: TrafficLimits = TrafficLimits()) async throws {
        let now: @Sendable () -> Timestamp = { Self.start }
        let time = Timekeeper(now: now, sleep: { _ in })
        let logger = Logger(label: "api") { _ in SwiftLogNoOpLogHandler() }
        let ids = SerialIDs()
        store = MemoryStore(now: now, pause: { _ in })
        let hub = FeedHub(store: store, time: time, logger: logger)
        let uptime = uptime
        server = APIServer(
            .init(
                store: store, hub: hub,
                sessions: AgentSessions(store: store, hub: hub, ids: ids, terms: .standard),
                supervisor: nil, ids: ids, time: time, secret: { "secret" }, limits: limits,
                uptime: { uptime.now }))
        try await fill(ids)
    }

    private func fill(_ ids: SerialIDs) async throws {
        let context = WriteContext(actor: "test", verb: "create")
        for caller in Self.callers {
            let parts = caller.split(separator: "@").map(String.init)
            let role = try #require(Role(rawValue: parts[0]))
            try await store.createToken(
                AccessToken(
                    name: caller.replacing("@", with: "-"), role: role,
                    projects: parts.count > 1 ? [parts[1]] : nil, secretHash: Authenticator.hash(caller),
                    expiresAt: nil), context: context)
        }
        func draft(_ kind: Kind, _ name: String, _ spec: String, project: String? = nil) -> DocumentDraft {
            DocumentDraft(uid: ID(ids.next()), kind: kind, project: project, name: name, spec: spec)
        }
        let vm = #"{"cell":"it","resources":{"memoryMiB":1,"milliCPU":1}}"#
        let group = #"{"replicas":2,"template":{"spec":{"flavor":"it"}}}"#
        for drafts in [
            [draft(.cell, "it", "{}"), draft(.flavor, "it", #"{"resources":{"memoryMiB":1,"milliCPU":1}}"#)],
            [draft(.policy, "it", #"{"placement":{"score":"best-fit"},"type":"placement"}"#)],
            [draft(.pool, "it", #"{"admits":["vm"],"cell":"it"}"#)],
            [draft(.host, "it", #"{"cell":"it","pool":"it"}"#)],
            [draft(.project, "shop", "{}"), draft(.project, "bank", "{}")],
            [draft(.vm, "it", vm, project: "shop"), draft(.vm, "it", vm, project: "bank")],
            [draft(.vmGroup, "it", group, project: "shop"), draft(.vmGroup, "it", group, project: "bank")],
        ] { _ = try await store.create(drafts, context: context) }
    }

    func test<Value>(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Value) async throws
        -> Value
    {
        try await Application(router: server.router()).test(.router) { try await body($0) }
    }
}

extension TestClientProtocol {
    /// - Parameter caller: one of `APIFixture.callers`; nil sends no token.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, as caller: String? = "admin",
        headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestResponse {
        var headers = headers
        if let caller { headers[.authorization] = "Bearer \(caller)" }
        return try await execute(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }
}

extension TestResponse {
    var problem: Problem? {
        // why: an answer that is no problem is what some tests look for
        try? JSONDecoder().decode(Problem.self, from: Data(body.readableBytesView))
    }
}

/// Ids that count.
final class SerialIDs: IDSource {
    private let count = Mutex(0)

    func next() -> UUID {
        let number = count.withLock { count in
            count += 1
            return UInt8(truncatingIfNeeded: count)
        }
        return UUID(uuid: (1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
    }
}

/// A monotonic clock that tests move.
final class ManualUptime: Sendable {
    private let time = Mutex(Duration.zero)

    var now: Duration { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 += duration } }
}
