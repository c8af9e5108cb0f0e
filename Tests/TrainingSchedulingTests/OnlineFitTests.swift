import Testing

@testable import TrainingScheduling

@Suite struct OnlineFitTests {
    private static let bert = CatalogueModel.all[2].performance

    /// Steps of data parallelism as another model takes them.
    private static func points(_ truth: PerformanceModel, gpus: [Int], times scale: Double = 1)
        -> [ProfilePoint]
    {
        gpus.map { count in
            let plan = ExecutionPlan(data: count)
            let forward = 225 / Double(count)
            return ProfilePoint(
                plan: plan, forward: forward, step: scale * truth.stepMilliseconds(plan, forward: forward))
        }
    }

    @Test func oneShapeTellsTheScaleAndNothingElse() throws {
        let fit = try #require(
            OnlineFit(Self.points(Self.bert, gpus: [4], times: 2.5), prior: Self.bert))
        #expect(abs(fit.scale - 2.5) < 0.02 && fit.fitted == ["scale"])
        #expect(fit.parameters == Self.bert.parameters)
        #expect(fit.errorBefore > 0.5 && fit.errorAfter < 0.01 && fit.points == 1)
    }

    @Test func severalShapesTellParametersApart() throws {
        var truth = Self.bert
        truth.parameters.constant *= 3
        truth.parameters.backward *= 1.3
        let fit = try #require(OnlineFit(Self.points(truth, gpus: [1, 2, 4, 8]), prior: Self.bert))
        #expect(fit.fitted == ["scale", "backward", "synchronisation", "optimizer", "constant"])
        #expect(fit.errorAfter < 0.02 && fit.errorAfter < fit.errorBefore)
        // Nothing ran with its optimizer on the host.
        #expect(fit.parameters.hostOptimizer == Self.bert.parameters.hostOptimizer)
        #expect(fit.parameters.offload == Self.bert.parameters.offload)
    }

    @Test func oneWrongMeasurementIsLeftOut() throws {
        var points = Self.points(Self.bert, gpus: [1, 2, 4, 8, 16, 32], times: 1.5)
        points[3].step *= 6
        let fit = try #require(OnlineFit(points, prior: Self.bert))
        #expect(fit.outliers == [3] && abs(fit.scale - 1.5) < 0.1 && fit.errorAfter < 0.05)
    }

    @Test func nothingLeavesItsBounds() throws {
        let fit = try #require(OnlineFit(Self.points(Self.bert, gpus: [2], times: 1000), prior: Self.bert))
        #expect(fit.scale <= 8.001)
        #expect(OnlineFit([], prior: Self.bert) == nil)
        #expect(
            OnlineFit(
                [ProfilePoint(plan: ExecutionPlan(data: 2), forward: 1, step: 0)], prior: Self.bert) == nil)
    }

    @Test(arguments: ["244", "1x16x4", "4x2x12+gc", "zero-offload+gc", "ga"])
    func plansAreReadAsTheyAreWritten(_ notation: String) throws {
        let gpus = ["244": 32, "1x16x4": 64, "4x2x12+gc": 96][notation] ?? 6
        #expect(try #require(ExecutionPlan(notation: notation, gpus: gpus)).notation == notation)
        #expect(ExecutionPlan(notation: notation, gpus: 0) == nil)
    }
}
