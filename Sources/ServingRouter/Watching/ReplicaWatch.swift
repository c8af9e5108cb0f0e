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
        var lookedAt: ContinuousClock.Instant?
        var teller = Teller(began: clock.now)
        while true {
            let replicas = core.board.routes?.replicas ?? []
            if lookedAt.map({ $0.duration(to: clock.now) >= core.limits.look }) ?? true {
                lookedAt = clock.now
                await look(at: replicas)
            }
            let isDue = teller.began.duration(to: clock.now) >= core.limits.report
            if let report = isDue ? await nextWindow(of: replicas, &teller) : news(teller, clock.now) {
                try await tell(report, &teller)
            }
            try await Task.sleep(for: min(core.limits.look, Self.newsEvery))
        }
    }

    // MARK: Telling

    /// How soon it is told that other routes are followed, or that a replica that left them has no request
    /// any more: somebody waits for it.
    private static let newsEvery = Duration.milliseconds(100)

    /// What was told, and what the next window is counted from.
    private struct Teller {
        var began: ContinuousClock.Instant
        var counted: [ServingRoutes.Replica.ID: EngineCounters] = [:]
        var last: ServingReport?
        /// Replicas that had requests and were in no routes, when it was told last.
        var left: Set<String> = []
        var hasFailed = false
        /// News are not told before, after a report that was not taken.
        var quietUntil: ContinuousClock.Instant?
    }

    /// Ends a window and begins the next.
    ///
    /// - Returns: nil before there are routes.
    private func nextWindow(
        of replicas: [ServingRoutes.Replica], _ teller: inout Teller
    ) async -> ServingReport? {
        let counters = await counters(of: replicas)
        let now = ContinuousClock.now
        let seconds = teller.began.duration(to: now) / .seconds(1)
        teller.began = now
        defer { teller.counted = counters }
        return report(
            seconds: seconds, counters, teller.counted, window: (teller.last?.window ?? 0) + 1)
    }

    /// The last window once more, with routes and requests as they are now; nil where nobody waits for them.
    private func news(_ teller: Teller, _ now: ContinuousClock.Instant) -> ServingReport? {
        let sight = core.board.sight
        guard let routes = sight.routes, teller.quietUntil.map({ now >= $0 }) ?? true else { return nil }
        if let last = teller.last {
            let isFollowed = (last.epoch, last.version) == (routes.epoch, routes.version)
            guard !isFollowed || !teller.left.isSubset(of: sight.underWay.keys) else { return nil }
        }
        var report =
            teller.last
            ?? ServingReport(
                router: core.name, epoch: routes.epoch, version: routes.version, seconds: 0.001, requests: 0,
                failed: 0, firstBytes: RequestSight.Window().firstBytes, window: 0)
        report.epoch = routes.epoch
        report.version = routes.version
        report.underWay = sight.underWay
        return report
    }

    private func tell(_ report: ServingReport, _ teller: inout Teller) async throws {
        do {
            try await source.take(report)
            teller.hasFailed = false
            teller.quietUntil = nil
        } catch let error as CancellationError {
            throw error
        } catch {
            // Routing does not depend on it: it is said once.
            if !teller.hasFailed {
                logger.warning("the report was not taken", metadata: ["error": "\(error)"])
            }
            teller.hasFailed = true
            teller.quietUntil = .now + core.limits.look
            // What was not taken is told again.
            teller.last?.window = report.window
            return
        }
        teller.last = report
        let routed = (core.board.routes?.replicas ?? []).map(\.name)
        teller.left = Set((report.underWay ?? [:]).keys).subtracting(routed)
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
        _ earlier: [ServingRoutes.Replica.ID: EngineCounters], window number: Int
    ) -> ServingReport? {
        let now = core.board.sight
        guard let routes = now.routes else { return nil }
        let window = core.sight.take()
        var sum = EngineCounters(promptTokens: 0, outputTokens: 0, requests: 0)
        for (id, count) in counters {
            guard let grown = earlier[id].flatMap({ count.since($0) }) else { continue }
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
            outputTokens: mean(sum.outputTokens), firstBytes: window.firstBytes, window: number,
            underWay: now.underWay)
    }
}
