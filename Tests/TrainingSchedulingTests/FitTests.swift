import Foundation
import Testing
import TrainingScheduling

struct FitTests {
    private let truth = PerformanceParameters(
        backward: 2, synchronisation: 2.5, optimizer: 0.02, hostOptimizer: 2, constant: 8, offload: 20,
        swap: 15)

    private func plan(_ gpus: Int, _ sharding: ExecutionPlan.Sharding) -> ExecutionPlan {
        ExecutionPlan(data: gpus, sharding: sharding)
    }

    /// What a model with known parameters would measure.
    private func points(_ model: PerformanceModel) -> [ProfilePoint] {
        let plans: [(ExecutionPlan, Int)] =
            [1, 2, 4, 8].map { (plan($0, .none), 1) } + [1, 2, 4, 8].map { (plan($0, .offload), 4) }
            + [(plan(2, .sharded), 1), (plan(8, .sharded), 1)]
        return plans.map { plan, threads in
            let forward = 400 / Double(plan.data)
            return ProfilePoint(
                plan: plan, threads: threads, forward: forward,
                step: model.stepMilliseconds(plan, forward: forward, threads: threads))
        }
    }

    private func model() throws -> PerformanceModel {
        var model = try #require(CatalogueModel.named("bert")).performance
        model.parameters = truth
        return model
    }

    private func worstError(_ fit: ParameterFit, _ model: PerformanceModel, _ points: [ProfilePoint])
        -> Double
    {
        var fitted = model
        fitted.parameters = fit.parameters
        return points.map {
            abs(fitted.stepMilliseconds($0.plan, forward: $0.forward, threads: $0.threads) / $0.step - 1)
        }.max() ?? 1
    }

    @Test func stepsOfAKnownModelAreFound() throws {
        let model = try model()
        let points = points(model)
        let fit = try #require(ParameterFit(points, model: model.model, constants: model.constants))
        #expect(worstError(fit, model, points) < 0.01)
        #expect(fit.uncalibrated == [.stages] && fit.outliers.isEmpty && fit.points == points.count)
    }

    @Test(arguments: 0..<10) func onePointTenTimesTooLongIsLeftOut(index: Int) throws {
        let model = try model()
        let points = points(model)
        var spoilt = points
        spoilt[index].step *= 10
        let fit = try #require(ParameterFit(spoilt, model: model.model, constants: model.constants))
        #expect(fit.outliers == [index])
        #expect(worstError(fit, model, points) < 0.02)
    }

    @Test func aForwardTimeThatOthersContradictIsLeftOut() throws {
        let model = try model()
        var points = points(model)
        points[2].forward /= 24
        let fit = try #require(ParameterFit(points, model: model.model, constants: model.constants))
        #expect(fit.outliers == [2])
    }

    @Test func whatPointsSayNothingOfIsNamedAndTakenFromElsewhere() throws {
        let model = try model()
        let few = points(model).filter { $0.plan.sharding == .none }
        let fit = try #require(
            ParameterFit(
                few, model: model.model, constants: model.constants, settings: .init(prior: truth)))
        #expect(fit.uncalibrated == [.offload, .stages])
        #expect(fit.parameters.hostOptimizer == truth.hostOptimizer && fit.parameters.swap == truth.swap)
        #expect(ParameterFit([], model: model.model, constants: model.constants) == nil)
    }

    @Test func theSameSeedGivesTheSameBits() throws {
        let model = try model()
        let points = points(model)
        let fits = (0..<2).map { _ in ParameterFit(points, model: model.model, constants: model.constants) }
        #expect(fits[0] == fits[1])
    }

    /// Mean errors in percent of a fit of 30 starts by another program, on steps that were measured apart.
    @Test(
        .enabled(if: TrainingData.folder != nil, TrainingData.absence),
        arguments: [
            ("vit", [1.53, 2.13, 4.61, 1.70]), ("roberta", [0.86, 1.29, 1.40, 1.82]),
            ("bert", [3.93, 2.89, 1.95, 4.46]),
        ])
    func publishedProfilesGiveThePublishedErrors(name: String, expected: [Double]) throws {
        let known = try #require(CatalogueModel.named(name)).performance
        let shapes = try TrainingData.rows("rubick/profile/\(name).config.csv")
        let times = try TrainingData.rows("rubick/profile/\(name).data.csv")
        let points = try zip(shapes, times).map { shape, time in
            ProfilePoint(
                plan: plan(
                    try #require(Int(shape["gpus"] ?? "")), shape["zero_type"] == "1" ? .offload : .none),
                threads: try #require(Int(shape["num_cpu_threads"] ?? "")),
                forward: try #require(Double(time["forward_time"] ?? "")),
                step: try #require(Double(time["iter_time"] ?? "")))
        }
        let fit = try #require(ParameterFit(points, model: known.model, constants: known.constants))
        var fitted = known
        fitted.parameters = fit.parameters
        var errors: [String: [Double]] = [:]
        for row in try TrainingData.rows("rubick/golden_iter_time.csv") where row["model"] == name {
            let kind = row["plan"] ?? ""
            var plan = plan(
                try #require(Int(row["gpus"] ?? "")), kind == "ZeRO-Offload" ? .offload : .none)
            plan.checkpointing = kind == "GC"
            let predicted = fitted.stepMilliseconds(
                plan, forward: try #require(Double(row["fwd_ms_input"] ?? "")),
                threads: Int(row["cpu_threads"] ?? "") ?? 1)
            let measured = try #require(Double(row["measured_iter_ms"] ?? ""))
            errors[kind, default: []].append(100 * abs(predicted - measured) / measured)
        }
        for (kind, mean) in zip(["DP", "GC", "ZeRO-DP+GA", "ZeRO-Offload"], expected) {
            let found = try #require(errors[kind])
            #expect(abs(found.reduce(0, +) / Double(found.count) - mean) <= 0.1, "\(kind)")
        }
    }
}
