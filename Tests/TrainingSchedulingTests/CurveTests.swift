import Foundation
import Testing
import TrainingScheduling

struct CurveTests {
    private func curve(_ seconds: [(Int, Double)]) -> SpeedCurve {
        SpeedCurve(
            seconds.map { gpus, seconds in
                SpeedPoint(
                    placement: gpus <= 8 ? [gpus] : [Int](repeating: 8, count: gpus / 8), plan: "p\(gpus)",
                    secondsPerStep: seconds)
            })
    }

    @Test func uselessGPUsAreNeverBought() {
        let curve = curve([(1, 1), (2, 1.02), (4, 0.5), (5, 0.4999), (8, 0.25), (16, 0.6)])
        #expect(curve.breakpoints().map(\.gpus) == [1, 4, 8])
        #expect(curve.envelope(gpus: 7)?.gpus == 4 && curve.envelope(gpus: 64)?.gpus == 8)
        let speeds = (1...16).compactMap { curve.envelope(gpus: $0).map { 1 / $0.secondsPerStep } }
        #expect(speeds.count == 16 && speeds == speeds.sorted())
    }

    /// A model that only takes off at sixteen GPUs must not look useless at eight.
    @Test func aSlopeLooksPastAFlatPart() {
        let curve = curve([(8, 9.4), (16, 1.13)])
        #expect(abs(curve.bestSlope(from: 8) - (1 / 1.13 - 1 / 9.4) / 8) < 1e-12)
        #expect(curve.bestSlope(from: 9) > curve.bestSlope(from: 8))
        #expect(curve.bestSlope(from: 16) == 0 && SpeedCurve([]).bestSlope(from: 0) == 0)
    }

    @Test func theLeastThatKeepsAGuaranteeIsFound() {
        let curve = curve([(1, 4), (2, 2), (4, 1.2), (8, 1)])
        #expect(curve.least(secondsPerStep: 2)?.gpus == 2)
        #expect(curve.least(secondsPerStep: 1.5)?.gpus == 4)
        #expect(curve.least(secondsPerStep: 0.5) == nil)
    }

    @Test func ofEqualPlacementsTheFastestPlanStays() {
        let curve = SpeedCurve([
            SpeedPoint(placement: [4, 8], plan: "b", secondsPerStep: 1),
            SpeedPoint(placement: [8, 4], plan: "a", secondsPerStep: 1),
            SpeedPoint(placement: [4], plan: "c", secondsPerStep: 0),
            SpeedPoint(placement: [4], plan: "d", secondsPerStep: .infinity),
        ])
        #expect(curve.points.map(\.plan) == ["a"] && curve.point(placement: [4, 8])?.plan == "a")
    }

    @Test(arguments: CatalogueModel.all.map(\.name))
    func everyModelHasAPlanThatFits(name: String) throws {
        let model = try #require(CatalogueModel.named(name))
        let search = PlanSearch(model)
        let curve = search.curve(gpus: 64, threads: 8)
        #expect(!curve.points.isEmpty)
        for point in curve.points {
            let plan = try #require(
                ExecutionPlan(notation: point.plan, gpus: point.gpus)
                    ?? search.points(placement: point.placement, threads: 8).first.map { _ in
                        ExecutionPlan(data: point.gpus)
                    })
            #expect(plan.gpus == point.gpus && point.secondsPerStep > 0)
            #expect(point.threadsPerGPU == (plan.sharding == .offload ? 8 : 1))
        }
        // Thirty billion parameters fit no single node's plan of data parallelism.
        if name == "llama30" { #expect(curve.points.allSatisfy { $0.gpus >= 8 }) }
    }

    @Test func aFailureThatWasLearntTakesAPlanAway() throws {
        var search = PlanSearch(try #require(CatalogueModel.named("llama7")))
        let before = try #require(search.best(placement: [8, 8], threads: 8))
        let plan = try #require(ExecutionPlan(notation: before.plan, gpus: 16))
        search.failures.learn(
            .init(parameters: search.model.performance.model.parameters, plan: plan, microBatch: 1))
        let after = search.best(placement: [8, 8], threads: 8)
        #expect(after?.plan != before.plan)
    }

    @Test func sensitivityNeverFallsWithMoreOfAnything() throws {
        let search = PlanSearch(try #require(CatalogueModel.named("llama7")))
        let curve = SensitivityCurve(search, gpus: 16, threads: [1, 4, 8])
        for entry in curve.entries {
            let fewer = curve.entry(gpus: entry.gpus - 1, threads: entry.threads, spread: entry.spread)
            let local = curve.entry(gpus: entry.gpus, threads: entry.threads, spread: false)
            for other in [fewer, entry.spread ? local : nil].compactMap({ $0 }) {
                #expect(entry.point.secondsPerStep <= other.point.secondsPerStep * 1.011)
            }
        }
        let slow = try #require(curve.entry(gpus: 1, threads: 1, spread: false)?.point.secondsPerStep)
        let fast = try #require(curve.entry(gpus: 1, threads: 8, spread: false)?.point.secondsPerStep)
        #expect(fast < slow)
    }

    private static let best: [String: [(Int, Double, String)]] = [
        "vit": [(1, 0.145, "zero-dp"), (2, 0.0849, "zero-dp"), (4, 0.0628, "ga"), (8, 0.0492, "ga")],
        "roberta": [(1, 0.6836, "zero-dp"), (2, 0.6977, ""), (4, 0.3728, "ga"), (8, 0.2179, "zero-dp")],
        "bert": [(1, 0.6571, ""), (2, 0.3654, ""), (4, 0.2257, ""), (8, 0.1550, "")],
        "t5": [
            (1, 1.081, "zero-dp"), (2, 0.5924, "zero-dp"), (4, 0.3351, "zero-dp"), (8, 0.2412, "zero-dp"),
        ],
        "gpt2": [(1, 3.616, ""), (2, 1.831, ""), (4, 0.9575, ""), (5, 1.037, "151"), (8, 0.5302, "")],
        "llama7": [
            (1, 57.87, "zero-offload"), (8, 9.4, "zero-offload"), (16, 1.131, "182"), (32, 0.943, "244"),
            (64, 0.673, "248"),
        ],
        "llama30": [
            (24, 5.297, "641"), (32, 2.759, "442"), (40, 2.662, "524"), (48, 2.233, "344"),
            (64, 2.018, "444"),
        ],
    ]

    @Test(.enabled(if: TrainingData.folder != nil, TrainingData.absence), arguments: best.keys.sorted())
    func measuredTablesGiveTheBestPlanOfEveryCount(name: String) throws {
        let points = try TrainingData.rows("rubick/measured_iter_time_all.csv").filter { $0["model"] == name }
            .map { row in
                SpeedPoint(
                    placement: (row["placement"] ?? "").compactMap(\.wholeNumberValue),
                    plan: row["exec_plan"] ?? "",
                    secondsPerStep: try #require(Double(row["iter_time_s"] ?? "")))
            }
        let curve = SpeedCurve(points)
        for (gpus, seconds, plan) in Self.best[name] ?? [] {
            let point = try #require(curve.best(gpus: gpus))
            #expect(abs(point.secondsPerStep - seconds) < 1e-3 * seconds, "\(gpus)")
            if !plan.isEmpty { #expect(point.plan == plan, "\(gpus)") }
        }
        let kept = curve.breakpoints().map(\.gpus)
        switch name {
        case "roberta": #expect(!kept.contains(2))
        case "gpt2": #expect(!kept.contains(5) && kept.max() == 8)
        case "t5": #expect(kept.max() == 8)
        case "llama30": #expect(kept.min() == 24)
        default: break
        }
    }
}
