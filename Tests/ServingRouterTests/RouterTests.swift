import AsyncHTTPClient
import Fleet
import NIOCore
import NIOHTTP1
import ServingRouter
import Synchronization
import Telemetry
import TestServer
import Testing

/// The router between real sockets.
@Suite struct RouterTests {
    private static let ok = TestReaction.answer(status: 200, body: Array("{}".utf8))
    private static let completions = "/v1/completions"

    /// What a replica was sent.
    private final class Seen: Sendable {
        private let requests = Mutex<[TestRequest]>([])

        var all: [TestRequest] { requests.withLock { $0 } }
        func add(_ request: TestRequest) { requests.withLock { $0.append(request) } }
    }

    @Test func `a request and its answer are passed on, less what is of one connection only`() async throws {
        let seen = Seen()
        try await TestServer.with({
            seen.add($0)
            return .answer(
                status: 418, headers: ["x-engine": "e1", "keep-alive": "timeout=5"], body: Array("tea".utf8))
        }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority])) { router in
                let answer = try await router.send(
                    "/v1/chat/completions?a=b%20c",
                    headers: [
                        ("authorization", "Bearer key"), ("connection", "x-private"), ("x-private", "1"),
                        ("x-prefiller-host-port", "169.254.169.254:80"), ("x-basalt-routes-version", "99"),
                    ], body: "{\"model\":\"fake\"}")
                #expect(answer.status == 418 && answer.body == "tea")
                #expect(answer.headers["x-engine"] == "e1" && answer.headers["keep-alive"] == nil)
                #expect(answer.headers["x-basalt-replica"] == "g1")
            }
            let request = try #require(seen.all.first)
            #expect(request.path == "/v1/chat/completions" && request.query == ["a": "b c"])
            #expect(String(decoding: request.body, as: UTF8.self) == "{\"model\":\"fake\"}")
            #expect(request.headers["authorization"] == "Bearer key")
            #expect(request.headers["host"] == authority)
            #expect(request.headers["x-basalt-routes-version"] == "1")
            #expect(request.headers["x-request-id"] == "router-1")
            #expect(request.headers["x-private"] == nil && request.headers["x-prefiller-host-port"] == nil)
        }
    }

    @Test func `the replica that writes is told which one reads the prompt`() async throws {
        let seen = Seen()
        try await TestServer.with({
            seen.add($0)
            return Self.ok
        }) { replica in
            let routes = ServingRoutes(
                version: 7, model: "fake",
                replicas: [
                    .init(name: "p", address: "10.0.0.1:8000", role: .prefill),
                    .init(name: "d", address: replica.authority, role: .decode),
                ], pairs: [.init(prefill: "p", decode: "d", weight: 1)])
            try await RunningRouter.with(routes) { router in
                _ = try await router.send(Self.completions, body: "{}")
                _ = try await router.send("/v1/models", method: .get)
            }
        }
        #expect(seen.all.map { $0.headers["x-prefiller-host-port"] } == ["10.0.0.1:8000", nil])
        #expect(seen.all.map { $0.headers["x-basalt-routes-version"] } == ["7", "7"])
    }

    @Test func `a dead replica costs a request nothing but a second try`() async throws {
        let dead = try DeadAddress()
        try await TestServer.with({ _ in Self.ok }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([dead.authority, authority])) { router in
                for _ in 0..<20 {
                    let answer = try await router.send(Self.completions, body: "{}")
                    #expect(answer.status == 200)
                }
                // It rested: it was not tried ten times.
                let text = router.metrics.text
                #expect(text.contains("basalt_router_replica_failures_total{replica=\"g1\"}"))
                #expect(!text.contains("basalt_router_retries_total 10\n"))
            }
        }
    }

    @Test(arguments: [
        TestReaction.drop, .answer(status: 503, body: []), .answer(status: 502, body: []),
    ])
    func `a replica that breaks off or cannot now is followed by another`(_ reaction: TestReaction)
        async throws
    {
        let seen = Seen()
        try await TestServer.with({
            seen.add($0)
            return reaction
        }) { bad in
            try await TestServer.with({ _ in Self.ok }) { good in
                let routes = ServingRoutes.even([bad.authority, good.authority])
                try await RunningRouter.with(routes) { router in
                    let answer = try await router.send(Self.completions, body: "{\"n\":1}")
                    #expect(answer.status == 200 && answer.headers["x-basalt-replica"] == "g2")
                }
            }
        }
        #expect(seen.all.map { String(decoding: $0.body, as: UTF8.self) } == ["{\"n\":1}"])
    }

    @Test func `when no replica can be reached the client is told so`() async throws {
        let dead = [try DeadAddress(), try DeadAddress()]
        try await RunningRouter.with(.even(dead.map(\.authority))) { router in
            let answer = try await router.send(Self.completions, body: "{}")
            #expect(answer.status == 502 && answer.code == "replicas_failed")
            #expect(answer.body.contains("\"param\":null"))
        }
        try await RunningRouter.with(nil) { router in
            let answer = try await router.send(Self.completions, body: "{}")
            #expect(answer.status == 503 && answer.code == "no_routes")
            #expect(answer.headers["retry-after"] == "1")
            #expect(try await router.send("/readyz", method: .get).status == 503)
            #expect(try await router.send("/healthz", method: .get).status == 200)
        }
    }

    @Test func `pieces of an answer are passed on as they come`() async throws {
        let stream = TestStream()
        try await TestServer.with({ _ in .stream(stream) }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority])) { router in
                let response = try await router.open(Self.completions, body: "{}")
                #expect(response.headers.first(name: "content-type") == "text/event-stream")
                var pieces = response.body.makeAsyncIterator()
                for number in 0..<3 {
                    // The next piece is written only when the one before has arrived.
                    stream.send("data: \(number)\n\n")
                    #expect(try await pieces.next().map { String(buffer: $0) } == "data: \(number)\n\n")
                }
                stream.finish()
                // An answer that was broken off does not look whole.
                await #expect(throws: (any Error).self) {
                    while let piece = try await pieces.next() {
                        #expect(String(buffer: piece).contains("replicas_failed"))
                    }
                }
                #expect(router.metrics.text.contains("\nbasalt_router_answers_cut_total 1\n"))
            }
        }
    }

    @Test func `a replica that left the routes ends what it has and gets nothing more`() async throws {
        let stream = TestStream()
        try await TestServer.with({ _ in .stream(stream) }) { old in
            try await TestServer.with({ _ in Self.ok }) { new in
                let addresses = [old.authority, new.authority]
                try await RunningRouter.with(.even([addresses[0]])) { router in
                    let response = try await router.open(Self.completions, body: "{}")
                    var pieces = response.body.makeAsyncIterator()
                    stream.send("a")
                    #expect(try await pieces.next() == ByteBuffer(string: "a"))
                    #expect(router.board.adopt(.even([addresses[1]], version: 2)))
                    for _ in 0..<4 {
                        #expect(try await router.send(Self.completions, body: "{}").status == 200)
                    }
                    stream.send("b")
                    #expect(try await pieces.next() == ByteBuffer(string: "b"))
                    let shown = try await router.send("/routes", method: .get).body
                    #expect(shown.contains("\"isDraining\":true") && shown.contains("\"version\":2"))
                    stream.finish()
                }
            }
        }
    }

    @Test func `what is too much is refused`() async throws {
        let stream = TestStream()
        var limits = RouterLimits()
        limits.bodyBytes = 1000
        limits.requests = 2
        let small = limits
        try await TestServer.with({ _ in .stream(stream) }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority], slots: 1), limits: small) { router in
                let long = try await router.send(
                    Self.completions, body: String(repeating: "x", count: 1001))
                #expect(long.status == 413 && long.code == "body_too_large")
                let put = try await router.send("/v1/x", method: .put, body: "")
                #expect(put.status == 405 && put.headers["allow"] == "GET, POST")
                for path in ["/", "/v2/x", "/v1/../metrics", "/v1"] {
                    #expect(try await router.send(path).code == "unknown_url", "\(path)")
                }
                let held = try await router.open(Self.completions, body: "{}")
                let busy = try await router.send(Self.completions, body: "{}")
                #expect(busy.status == 429 && busy.code == "replicas_busy")
                #expect(busy.headers["retry-after"] == "1")
                router.board.adopt(.even([authority], version: 2))
                let second = try await router.open(Self.completions, body: "{}")
                let third = try await router.send(Self.completions, body: "{}")
                #expect(third.status == 429 && third.code == "router_busy")
                stream.finish()
                withExtendedLifetime((held, second)) {}
            }
        }
    }

    @Test func `beyond the limit of connections clients are told to come back`() async throws {
        var limits = RouterLimits()
        limits.connections = 0
        let none = limits
        try await RunningRouter.with(.even(["127.0.0.1:1"]), limits: none) { router in
            let answer = try await router.send(Self.completions, body: "{}")
            #expect(answer.status == 503 && answer.code == "too_many_connections")
            #expect(answer.headers["connection"] == "close")
        }
    }

    @Test func `a replica that says nothing is given up`() async throws {
        var limits = RouterLimits()
        limits.silence = .milliseconds(50)
        let short = limits
        try await TestServer.with({ _ in .stream(TestStream()) }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority]), limits: short) { router in
                let response = try await router.open(Self.completions, body: "{}")
                // Before the answer began the client is told; after that it can only be cut.
                let body = try? await response.body.collect(upTo: 1000)
                #expect(response.status == .gatewayTimeout || body == nil)
            }
        }
    }

    @Test func `answers of many requests on one connection stay in their order`() async throws {
        try await TestServer.with({ .answer(status: 200, body: $0.body) }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority])) { router in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in 0..<16 {
                        group.addTask {
                            for number in 0..<25 {
                                let body = "\(client)-\(number)"
                                let answer = try await router.send(Self.completions, body: body)
                                #expect(answer.body == body)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let text = try await router.send("/metrics", method: .get).body
                #expect(text.contains("basalt_router_requests_total{status=\"200\"} 400\n"))
                #expect(text.contains("\nbasalt_router_requests_under_way 0\n"))
            }
        }
    }

    @Test func `a large answer to a slow reader is not held by the router`() async throws {
        let size = 32 << 20
        let bytes = [UInt8](repeating: 7, count: size)
        try await TestServer.with({ _ in .answer(status: 200, body: bytes) }) { replica in
            let authority = replica.authority
            try await RunningRouter.with(.even([authority])) { router in
                let response = try await router.open(Self.completions, body: "{}")
                var total = 0
                for try await piece in response.body { total += piece.readableBytes }
                #expect(total == size)
            }
        }
    }
}
