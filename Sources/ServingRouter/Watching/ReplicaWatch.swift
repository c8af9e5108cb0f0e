internal import AsyncHTTPClient
internal import Fleet
public import Logging
internal import NIOCore
internal import NIOHTTP1
public import ServiceLifecycle

/// Looks whether the replicas of a router's routes answer, before requests find out; and reports what the
/// router sees and what the engines count.
public struct ReplicaWatch: Service {
    private static let patience = TimeAmount.seconds(2)
    private static let metricsBytes = 4 << 20

    private let server: RouterServer
    private let source: any RouteSource
    private let logger: Logger

    /// - Parameter server: of the router, whose board and limits it goes by.
    public init(_ server: RouterServer, source: any RouteSource, logger: Logger) {
        self.server = server
        self.source = source
        self.logger = logger
    }

    private var core: RouterCore { server.core }

    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await watch() }
        } catch is CancellationError {
            // It ends with the router.
        }
    }

    private func watch() async throws {
        let clock = ContinuousClock()
        var began = clock.now
        var counted: [ServingRoutes.Replica.ID: EngineCounters] = [:]
        var hasFailed = false
        while true {
            let replicas = core.board.routes?.replicas ?? []
            await look(at: replicas)
            if began.duration(to: clock.now) >= core.limits.report {
                let counters = await counters(of: replicas)
                let seconds = began.duration(to: clock.now) / .seconds(1)
                began = clock.now
                let report = report(seconds: seconds, counters, counted)
                counted = counters
                do {
                    if let report { try await source.take(report) }
                    hasFailed = false
                } catch let error as CancellationError {
                    throw error
                } catch {
                    // Routing does not depend on it: it is said once.
                    if !hasFailed {
                        logger.warning("the report was not taken", metadata: ["error": "\(error)"])
                    }
                    hasFailed = true
                }
            }
            try await Task.sleep(for: core.limits.look)
        }
    }

    // MARK: Readiness

    private func look(at replicas: [ServingRoutes.Replica]) async {
        await withTaskGroup(of: (ServingRoutes.Replica, Bool).self) { group in
            for replica in replicas {
                group.addTask { (replica, await isReady(replica)) }
            }
            for await (replica, isReady) in group {
                guard core.board.note(replica, isReady: isReady) else { continue }
                logger.notice(
                    isReady ? "replica is ready" : "replica is not ready",
                    metadata: ["replica": "\(replica.name)", "address": "\(replica.address)"])
            }
        }
    }

    /// Whoever answers is ready unless it says that it is not; some engines have no such page.
    private func isReady(_ replica: ServingRoutes.Replica) async -> Bool {
        do {
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://\(replica.address)/health"), timeout: Self.patience)
            for try await _ in answer.body {}
            return answer.status.code < 500
        } catch {
            return false
        }
    }

    // MARK: Reports

    private func counters(
        of replicas: [ServingRoutes.Replica]
    ) async -> [ServingRoutes.Replica.ID: EngineCounters] {
        await withTaskGroup(of: (ServingRoutes.Replica.ID, EngineCounters?).self) { group in
            for replica in replicas {
                group.addTask { (replica.id, await counters(of: replica)) }
            }
            var found: [ServingRoutes.Replica.ID: EngineCounters] = [:]
            for await (id, counters) in group { found[id] = counters }
            return found
        }
    }

    private func counters(of replica: ServingRoutes.Replica) async -> EngineCounters? {
        do {
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://\(replica.address)/metrics"), timeout: Self.patience)
            let body = try await answer.body.collect(upTo: Self.metricsBytes)
            return answer.status == .ok ? EngineCounters(String(buffer: body)) : nil
        } catch {
            return nil
        }
    }

    /// - Returns: nil before there are routes.
    private func report(
        seconds: Double, _ counters: [ServingRoutes.Replica.ID: EngineCounters],
        _ earlier: [ServingRoutes.Replica.ID: EngineCounters]
    ) -> ServingReport? {
        guard let routes = core.board.routes else { return nil }
        let window = core.sight.take()
        var sum = EngineCounters(promptTokens: 0, outputTokens: 0, requests: 0)
        for (id, now) in counters {
            guard let grown = earlier[id].flatMap({ now.since($0) }) else { continue }
            sum.promptTokens += grown.promptTokens
            sum.outputTokens += grown.outputTokens
            sum.requests += grown.requests
        }
        func mean(_ tokens: Double) -> Int? {
            sum.requests > 0 ? Int((tokens / sum.requests).rounded()) : nil
        }
        return ServingReport(
            router: core.name, epoch: routes.epoch, version: routes.version, seconds: seconds,
            requests: window.requests, failed: window.failed, promptTokens: mean(sum.promptTokens),
            outputTokens: mean(sum.outputTokens), firstBytes: window.firstBytes)
    }
}
