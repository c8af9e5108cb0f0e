import Fleet
import Foundation
import Logging
import ProgramShell
import ServingPlanning
import Store

/// What the loss of a replica costs those who wait for answers: an open loop of streams through a real router
/// to real engines, of which one is killed. Real processes; the engines make up their words.
///
/// An error is an answer that did not come to its end at the first try of the client. Times of first tokens
/// count from when a request was due. They are back when the p99 of a window of 10 s, and of every window
/// after it, is at most 1.2 times that of the 10 s before the loss; a window is told by its end.
///
/// Engines take the times that the cost model gives for a model on a GPU, so that it can be said how busy they
/// are: three have to carry what four did.
///
/// Options: `--rounds N`, `--seconds S` of a round, `--warm-up S`, `--lost-at S`, `--requests N` per second,
/// `--prompt-tokens N`, `--tokens N`, `--replicas N`, `--model NAME`, `--gpu NAME`.
struct ServingLossBenchmark {
    private static let window = 10.0
    private static let tolerance = 1.2

    let options: BenchmarkOptions

    private struct Round {
        var requests: Int
        var unanswered: Int
        var cut: Int
        var beforeMs: Double
        /// Of the window that begins with the loss.
        var afterMs: Double
        /// From the loss to the end of the first good window, seconds; nil when none is.
        var backSeconds: Double?
        /// From the loss until the ledger knew, until routes were there, and until a client had them.
        var detectedMs: Double
        var replannedMs: Double
        var routedMs: Double
        /// Until the replica had been replaced.
        var wholeMs: Double

        var errorPercent: Double { 100 * Double(unanswered + cut) / Double(max(1, requests)) }
    }

    func run() async throws {
        let rounds = try options.number("rounds", default: 5, atLeast: 1)
        let replicas = try options.number("replicas", default: 4, atLeast: 2)
        let engines = try ServingEngines(
            model: options.text("model", default: "Llama-3.1-8B"),
            gpu: options.text("gpu", default: "A100-80-SXM"), replicas: replicas,
            perSecond: try options.number("requests", default: 30, atLeast: 1),
            promptTokens: try options.number("prompt-tokens", default: 512, atLeast: 1),
            tokens: try options.number("tokens", default: 64, atLeast: 8))
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))  rounds \(rounds)")
        var logger = Logger(label: "basalt-bench")
        logger.logLevel = .error
        let processes = try await ControlPlaneProcesses(hosts: 20, logger: logger)
        defer { do { try processes.stop() } catch { StandardError.write("not removed: \(error)") } }
        try await withThrowingTaskGroup { group in
            group.addTask { await processes.store.run() }
            try await processes.prepare()
            try processes.agent.run()
            var stage = try ServingStage(processes, replicas: replicas)
            do {
                try await stage.prepare(engines)
                let port = try await stage.startRouter()
                try tell(engines)
                let load = StreamLoad(
                    port: port, perSecond: engines.perSecond,
                    seconds: try options.number("seconds", default: 60, atLeast: 25),
                    prompt: engines.prompt, tokens: engines.tokens)
                try await measure(rounds, stage, load)
            } catch {
                try await stage.stop()
                throw error
            }
            try await stage.stop()
            group.cancelAll()
        }
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))")
    }

    private func measure(_ rounds: Int, _ stage: ServingStage, _ load: StreamLoad) async throws {
        let warmUp = try options.number("warm-up", default: 15, atLeast: 1)
        let lostAt = try options.number("lost-at", default: 20, atLeast: 10)
        print(
            "\(load.perSecond) requests/s, \(load.tokens) tokens in pieces of 8, \(load.seconds) s, one of",
            "\(stage.replicas) replicas killed after \(lostAt) s")
        print(
            "round | requests | errors % (none, cut) | TTFT p99 ms before | after | back s | detected ms",
            "| replanned after ms | routes at clients ms | replaced ms")
        var found: [Round] = []
        for number in 0..<rounds {
            _ = try await stage.whole()
            _ = try await load.lasting(warmUp).run()
            let round = try await self.round(number, stage, load, lostAt: Double(lostAt))
            found.append(round)
            print(line("\(number + 1)", round))
        }
        report(found)
    }

    private func round(
        _ number: Int, _ stage: ServingStage, _ load: StreamLoad, lostAt: Double
    ) async throws -> Round {
        let held = try await stage.whole()
        let engine = try ServingStage.engine(at: held.replicas[number % held.replicas.count].address)
        let began = SystemSeams.now()
        let start = ContinuousClock.now
        async let answers = load.run(at: lostAt) { kill(engine, SIGKILL) }
        async let changes = watch(stage, held, start)
        let seen = try await changes
        let all = try await answers
        let loss = try await stage.loss(since: began)
        let lost = began.advanced(by: .seconds(lostAt))
        func p99(_ from: Double) -> Double? {
            let inside = all.filter { $0.due >= from && $0.due < from + Self.window }.map {
                $0.firstMs ?? .infinity
            }
            return inside.isEmpty ? nil : Spread(inside).percentile(0.99)
        }
        let before = p99(lostAt - Self.window) ?? 0
        // From the end backwards: as long as windows are good.
        let starts = stride(from: lostAt, through: Double(load.seconds) - Self.window, by: 0.5)
        let firstGood = starts.reversed().prefix { p99($0).map { $0 <= Self.tolerance * before } ?? false }
            .last
        return Round(
            requests: all.count, unanswered: all.count { $0.firstMs == nil }, cut: all.count(where: \.isCut),
            beforeMs: before, afterMs: p99(lostAt) ?? 0,
            backSeconds: firstGood.map { $0 + Self.window - lostAt },
            detectedMs: Spread.milliseconds(loss.detected.since(lost)),
            replannedMs: Spread.milliseconds(loss.rerouted.since(loss.detected)),
            routedMs: seen.routed - lostAt * 1000, wholeMs: seen.whole - lostAt * 1000)
    }

    /// Milliseconds from the start until routes changed, and until all replicas were there again.
    private func watch(
        _ stage: ServingStage, _ held: ServingRoutes, _ start: ContinuousClock.Instant
    ) async throws -> (routed: Double, whole: Double) {
        var routes = try await stage.routes(after: held)
        let routed = Spread.milliseconds(start.duration(to: .now))
        while routes.replicas.count < stage.replicas { routes = try await stage.routes(after: routes) }
        return (routed, Spread.milliseconds(start.duration(to: .now)))
    }

    // MARK: Telling

    private func tell(_ engines: ServingEngines) throws {
        for count in [engines.replicas, engines.replicas - 1] {
            let use = try engines.use(among: count)
            print(
                String(
                    format: "%@, prompts of %d tokens: each of %d replicas reads %.0f %% and writes %.0f %% "
                        + "of what it can, with %.1f requests under way",
                    engines.plan.model, engines.promptTokens, count, 100 * use.reading, 100 * use.writing,
                    use.sequences))
        }
    }

    private func line(_ name: String, _ round: Round) -> String {
        func text(_ value: Double, _ digits: Int = 0) -> String { String(format: "%.\(digits)f", value) }
        return [
            name, "\(round.requests)",
            "\(text(round.errorPercent, 2)) (\(round.unanswered), \(round.cut))", text(round.beforeMs, 1),
            text(round.afterMs, 1), round.backSeconds.map { text($0, 1) } ?? "never",
            text(round.detectedMs), text(round.replannedMs), text(round.routedMs), text(round.wholeMs),
        ].joined(separator: " | ")
    }

    private func report(_ rounds: [Round]) {
        func spread(_ digits: Int, _ value: (Round) -> Double) -> String {
            Spread(rounds.map(value)).text(digits: digits)
        }
        print("errors %: \(spread(2, \.errorPercent)); bar 0.5")
        print("TTFT p99 ms before: \(spread(1, \.beforeMs)), in the 10 s after: \(spread(1, \.afterMs))")
        print("back within 1.2 times after s: \(spread(1) { $0.backSeconds ?? .infinity }); bar 15")
        print("detected after ms: \(spread(0, \.detectedMs))")
        print("re-planned after detection ms: \(spread(0, \.replannedMs)); bar 1000")
        print("new routes at a client after ms: \(spread(0, \.routedMs))")
        print("replaced after ms: \(spread(0, \.wholeMs))")
    }
}
