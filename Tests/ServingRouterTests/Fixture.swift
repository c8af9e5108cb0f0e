import AsyncHTTPClient
import FakeEngine
import Fleet
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import ServiceLifecycle
import ServingRouter
import Telemetry
import TestServer
import Testing

/// A router on a port of its own.
struct RunningRouter: Sendable {
    let port: Int
    let board: RouteBoard
    let metrics: MetricRegistry<RouterMetric>

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Runs `body` while the router serves; it is then told to stop as by a signal.
    static func with<Result: Sendable>(
        _ routes: ServingRoutes?, limits: RouterLimits = .init(), tls: TLSConfiguration? = nil,
        _ body: @Sendable @escaping (RunningRouter) async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        let board = RouteBoard(uptime: { ContinuousClock.now - start })
        if let routes { board.adopt(routes) }
        let metrics = MetricRegistry<RouterMetric>()
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = RouterServer(
            host: "127.0.0.1", port: 0, tls: tls, board: board, limits: limits, metrics: metrics,
            logger: logger,
            onListening: { port.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            tasks.addTask {
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { throw CancellationError() }
                let router = RunningRouter(port: port, board: board, metrics: metrics)
                let outcome: Swift.Result<Result, any Error>
                do { outcome = .success(try await body(router)) } catch { outcome = .failure(error) }
                await group.triggerGracefulShutdown()
                return try outcome.get()
            }
            while let next = try await tasks.next() {
                if let next { return next }
            }
            throw CancellationError()
        }
    }

    /// Sends a request and takes the whole answer.
    func send(
        _ path: String, method: HTTPMethodName = .post, headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> WholeAnswer {
        let response = try await open(path, method: method, headers: headers, body: body)
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return WholeAnswer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { _, last in last
            },
            body: String(buffer: bytes))
    }

    /// Sends a request and leaves the answer's body to be read.
    func open(
        _ path: String, method: HTTPMethodName = .post, headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> HTTPClientResponse {
        try await Call.open(port: port, path, method: method, headers: headers, body: body)
    }
}

enum HTTPMethodName: String { case get = "GET", post = "POST", put = "PUT" }

struct WholeAnswer: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String

    /// Code of an error of OpenAI's shape.
    var code: String? {
        struct Body: Decodable {
            struct Content: Decodable { var code: String }
            var error: Content
        }
        return (try? JSONDecoder().decode(Body.self, from: Data(body.utf8)))?.error.code
    }
}

enum Call {
    static func open(
        port: Int, _ path: String, method: HTTPMethodName = .post, headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .init(rawValue: method.rawValue)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    }
}

extension TestServer {
    /// As routes name it.
    var authority: String { String(address.dropFirst("http://".count)) }
}

extension FakeEngine {
    /// Runs `body` while engines serve.
    static func with<Result: Sendable>(
        _ engines: [FakeEngine], _ body: @Sendable @escaping ([Int]) async throws -> Result
    ) async throws -> Result {
        let (started, start) = AsyncStream.makeStream(of: (Int, Int).self)
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            for (index, engine) in engines.enumerated() {
                let application = engine.application(
                    logger: RunningRouter.logger, onRunning: { start.yield((index, $0)) })
                tasks.addTask {
                    try await application.run()
                    return nil
                }
            }
            var ports = engines.map { _ in 0 }
            var left = engines.count
            for await (index, port) in started {
                ports[index] = port
                left -= 1
                if left == 0 { break }
            }
            let all = ports
            tasks.addTask { try await body(all) }
            while let next = try await tasks.next() {
                if let next {
                    tasks.cancelAll()
                    return next
                }
            }
            throw CancellationError()
        }
    }
}

extension ServingRoutes {
    /// Replicas that do both, with equal weights.
    static func even(_ addresses: [String], version: Int = 1, slots: Int? = nil) -> ServingRoutes {
        let replicas = addresses.enumerated().map {
            Replica(name: "g\($0 + 1)", address: $1, role: .both, slots: slots)
        }
        return ServingRoutes(
            version: version, model: "fake", replicas: replicas,
            pairs: replicas.map { Pair(prefill: $0.name, decode: $0.name, weight: 1) })
    }
}

/// Waits until a condition holds; that it never does is an issue of the test.
func eventually(
    _ limit: Duration = .seconds(120), at location: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it never came to hold", sourceLocation: location)
}
