internal import Fleet
public import Logging
public import ServiceLifecycle
public import Telemetry

/// Keeps a router's board at the latest routes, and the last good ones on disk: a router that starts while
/// no controller answers sends requests where they went before.
public struct RouteFollower: Service {
    /// Between two tries when the source fails: as fast as nobody minds, up to as rare as nobody waits for.
    static let pauses = (first: Duration.milliseconds(250), longest: Duration.seconds(10))

    private let source: any RouteSource
    private let board: RouteBoard
    private let memory: RouteFile?
    private let metrics: MetricRegistry<RouterMetric>
    private let logger: Logger

    /// - Parameter memory: nil remembers nothing.
    public init(
        source: any RouteSource, board: RouteBoard, memory: RouteFile?,
        metrics: MetricRegistry<RouterMetric>, logger: Logger
    ) {
        self.source = source
        self.board = board
        self.memory = memory
        self.metrics = metrics
        self.logger = logger
    }

    public func run() async throws {
        recall()
        do {
            try await cancelWhenGracefulShutdown { try await follow() }
        } catch is CancellationError {
            // The wait ended with the router.
        }
    }

    private func recall() {
        do {
            if let routes = try memory?.load() { adopt(routes, "routes of the last run") }
        } catch {
            logger.warning("the routes of the last run are lost", metadata: ["error": "\(error)"])
        }
    }

    private func follow() async throws {
        var pause = Self.pauses.first
        while !Task.isCancelled {
            do {
                let found = try await source.next(after: board.routes)
                pause = Self.pauses.first
                metrics.set(.routesStale, to: 0)
                guard let found else { continue }
                try RouteFile.check(found, "routes of version \(found.version)")
                if adopt(found, "following routes") { remember(found) }
            } catch let error as CancellationError {
                throw error
            } catch {
                metrics.add(.routeFailures)
                metrics.set(.routesStale, to: 1)
                logger.warning(
                    "no new routes; the last ones stay in force",
                    metadata: ["error": "\(error)", "version": "\(board.routes?.version ?? 0)"])
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauses.longest)
            }
        }
    }

    @discardableResult
    private func adopt(_ routes: ServingRoutes, _ words: Logger.Message) -> Bool {
        guard board.adopt(routes) else { return false }
        metrics.set(.routesVersion, to: Double(routes.version))
        logger.notice(
            words,
            metadata: [
                "version": "\(routes.version)", "model": "\(routes.model)",
                "replicas": "\(routes.replicas.count)", "pairs": "\(routes.pairs.count)",
            ])
        return true
    }

    /// A full disk keeps nobody from following.
    private func remember(_ routes: ServingRoutes) {
        do {
            try memory?.store(routes)
        } catch {
            logger.warning("routes are not remembered", metadata: ["error": "\(error)"])
        }
    }
}
