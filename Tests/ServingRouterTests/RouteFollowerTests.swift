import Fleet
import Foundation
import Logging
import ServingRouter
import Synchronization
import Telemetry
import Testing

@Suite struct RouteFollowerTests {
    /// Gives what a test puts in.
    private final class Queue: RouteSource {
        private let (stream, continuation) = AsyncStream.makeStream(
            of: Result<ServingRoutes, RouteError>.self)
        private let asked = Mutex<[Int?]>([])

        var questions: [Int?] { asked.withLock { $0 } }

        func put(_ routes: ServingRoutes) { continuation.yield(.success(routes)) }
        func fail() { continuation.yield(.failure(RouteError("no controller"))) }

        func next(after held: ServingRoutes?) async throws -> ServingRoutes? {
            asked.withLock { $0.append(held?.version) }
            for await next in stream { return try next.get() }
            throw CancellationError()
        }
    }

    private static func follow(
        _ source: any RouteSource, memory: RouteFile?,
        _ body: @Sendable @escaping (RouteBoard, MetricRegistry<RouterMetric>) async throws -> Void
    ) async throws {
        let board = RouteBoard(uptime: { .zero })
        let metrics = MetricRegistry<RouterMetric>()
        let follower = RouteFollower(
            source: source, board: board, memory: memory, metrics: metrics, logger: RunningRouter.logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await follower.run() }
            try await body(board, metrics)
            group.cancelAll()
        }
    }

    private static func file() -> RouteFile {
        RouteFile(
            path: FileManager.default.temporaryDirectory.appending(path: "routes-\(UUID()).json").path)
    }

    @Test func `the last good routes survive a restart without a controller`() async throws {
        let file = Self.file()
        let source = Queue()
        try await Self.follow(source, memory: file) { board, _ in
            source.put(.even(["h:1"], version: 3))
            try await eventually { board.routes?.version == 3 }
            try await eventually { try file.load()?.version == 3 }
        }
        let silent = Queue()
        try await Self.follow(silent, memory: file) { board, metrics in
            try await eventually { board.routes?.version == 3 }
            silent.fail()
            try await eventually { metrics.text.contains("\nbasalt_router_routes_stale 1\n") }
            #expect(board.isReady)
            silent.put(.even(["h:2"], version: 4))
            try await eventually { board.routes?.version == 4 }
            #expect(silent.questions.first == 3)
            #expect(metrics.text.contains("\nbasalt_router_routes_stale 0\n"))
        }
    }

    @Test func `routes with defects are refused whole`() async throws {
        let source = Queue()
        try await Self.follow(source, memory: nil) { board, metrics in
            source.put(.even(["h:1"], version: 1))
            try await eventually { board.routes?.version == 1 }
            source.put(.even(["nowhere"], version: 2))
            try await eventually {
                metrics.text.contains("\nbasalt_router_route_failures_total 1\n")
            }
            #expect(board.routes?.version == 1)
        }
    }

    @Test func `a damaged memory is no reason not to start`() async throws {
        let file = Self.file()
        try Data("{\"version\": ".utf8).write(to: URL(filePath: file.path))
        let source = Queue()
        try await Self.follow(source, memory: file) { board, _ in
            source.put(.even(["h:1"], version: 1))
            try await eventually { board.routes?.version == 1 }
        }
    }

    @Test func `a file is followed as it changes`() async throws {
        let file = Self.file()
        try await Self.follow(FileRouteSource(path: file.path, interval: .milliseconds(5)), memory: nil) {
            board, _ in
            try file.store(.even(["h:1"], version: 1))
            try await eventually { board.routes?.version == 1 }
            try file.store(.even(["h:1", "h:2"], version: 2))
            try await eventually { board.routes?.replicas.count == 2 }
        }
    }
}
