import FakeEngine
import Fleet
import Synchronization
import Testing

@testable import ServingRouter

@Suite struct ReplicaWatchTests {
    @Test func `counters are read as engines write them`() throws {
        let text = """
            # HELP vllm:prompt_tokens_total Number of prefill tokens processed.
            vllm:prompt_tokens_total{engine="0",model_name="m"} 1200.0
            vllm:generation_tokens_total{model_name="m"} 300
            vllm:request_success_total{finished_reason="stop"} 4
            vllm:request_success_total{finished_reason="length"} 2
            vllm:prompt_tokens_total_created 1.7e9
            """
        let counters = try #require(EngineCounters(text))
        #expect(counters == EngineCounters(promptTokens: 1200, outputTokens: 300, requests: 6))
        let later = EngineCounters(promptTokens: 1500, outputTokens: 400, requests: 9)
        #expect(
            later.since(counters) == EngineCounters(promptTokens: 300, outputTokens: 100, requests: 3))
        #expect(counters.since(later) == nil)
        #expect(EngineCounters("sglang:prompt_tokens_total 3") == nil)
        #expect(EngineCounters("") == nil)
    }

    /// Keeps what it is told.
    private final class Source: RouteSource {
        let reports = Mutex<[ServingReport]>([])

        func next(after held: ServingRoutes?) async throws -> ServingRoutes? {
            try await Task.sleep(for: .seconds(3600))
            return nil
        }

        func take(_ report: ServingReport) async throws { reports.withLock { $0.append(report) } }
    }

    @Test func `replicas that do not answer are left out, and what is seen is reported`() async throws {
        try await FakeEngine.with([FakeEngine(EngineConfiguration())]) { ports in
            let routes = ServingRoutes(
                version: 5, model: "fake",
                replicas: [
                    .init(name: "g1", address: "127.0.0.1:\(ports[0])", role: .both),
                    // Nobody listens there.
                    .init(name: "g2", address: "127.0.0.1:1", role: .both),
                ],
                pairs: ["g1", "g2"].map { .init(prefill: $0, decode: $0, weight: 1) })
            let board = RouteBoard(uptime: { .zero })
            board.adopt(routes)
            var limits = RouterLimits()
            limits.look = .milliseconds(10)
            limits.report = .milliseconds(50)
            let server = RouterServer(
                host: "127.0.0.1", port: 0, board: board, limits: limits, name: "edge",
                logger: RunningRouter.logger)
            let source = Source()
            let watch = ReplicaWatch(server, source: source, logger: RunningRouter.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watch.run() }
                try await eventually { board.states.contains { $0.name == "g2" && $0.isResting } }
                #expect(!board.states.contains { $0.name == "g1" && $0.isResting })
                for _ in 0..<8 {
                    let choice = try board.choose(avoiding: [])
                    #expect(choice.decode.name == "g1")
                    board.end(choice, .served)
                }
                server.core.sight.arrived()
                server.core.sight.began(after: 30)
                try await eventually { source.reports.withLock { $0.contains { $0.requests == 1 } } }
                let report = try #require(source.reports.withLock { $0.first { $0.requests == 1 } })
                #expect(report.router == "edge" && report.version == 5 && report.defects().isEmpty)
                #expect(report.firstBytes[2] == 1 && report.firstBytes.reduce(0, +) == 1)
                group.cancelAll()
            }
        }
    }

    @Test func `routes that are followed and replicas that are left are told before the window ends`()
        async throws
    {
        let routes = ServingRoutes.even(["127.0.0.1:1", "127.0.0.1:2"], version: 5)
        let board = RouteBoard(uptime: { .zero })
        board.adopt(routes)
        var limits = RouterLimits()
        limits.look = .milliseconds(10)
        limits.report = .seconds(3600)
        let server = RouterServer(
            host: "127.0.0.1", port: 0, board: board, limits: limits, logger: RunningRouter.logger)
        let source = Source()
        let watch = ReplicaWatch(server, source: source, logger: RunningRouter.logger)
        func told(_ holds: (ServingReport) -> Bool) -> Bool {
            source.reports.withLock { $0.last.map(holds) ?? false }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            try await eventually { told { $0.version == 5 && $0.underWay == [:] } }
            let choices = [try board.choose(avoiding: []), try board.choose(avoiding: [])]
            let leaving = try #require(choices.first { $0.decode.name == "g1" })
            let staying = try #require(choices.first { $0.decode.name == "g2" })
            board.adopt(
                ServingRoutes(
                    version: 6, model: "fake", replicas: [routes.replicas[1]], pairs: [routes.pairs[1]]))
            try await eventually { told { $0.version == 6 && $0.underWay == ["g1": 1, "g2": 1] } }
            board.end(leaving, .served)
            try await eventually { told { $0.version == 6 && $0.underWay == ["g2": 1] } }
            let count = source.reports.withLock(\.count)
            // Nobody waits for those that stay.
            board.end(staying, .served)
            #expect(source.reports.withLock { $0.allSatisfy { $0.window == 0 && $0.defects().isEmpty } })
            #expect(count == 3)
            group.cancelAll()
        }
    }
}
