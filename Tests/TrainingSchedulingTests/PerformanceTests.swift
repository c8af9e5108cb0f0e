import Foundation
import Testing
import TrainingScheduling

struct PerformanceTests {
    private func predicted(
        _ name: String, _ plan: ExecutionPlan, forward: Double, nodes: Int = 1, threads: Int = 1
    ) throws -> Double {
        try #require(CatalogueModel.named(name)).performance
            .stepMilliseconds(plan, forward: forward, nodes: nodes, threads: threads)
    }

    private func near(_ value: Double, _ expected: Double, _ share: Double = 1e-3) -> Bool {
        abs(value - expected) <= share * expected
    }

    /// The hand-checked examples of the published model.
    @Test func workedExamplesComeOut() throws {
        let bert = try predicted("bert", ExecutionPlan(data: 8), forward: 225 / 5.832)
        #expect(near(bert, 162.1284))
        let offload = ExecutionPlan(data: 4, sharding: .offload)
        #expect(near(try predicted("bert", offload, forward: 69.4444, threads: 4), 380.3250))
        let eight = ExecutionPlan(data: 8, sharding: .offload)
        #expect(near(try predicted("roberta", eight, forward: 60, threads: 4), 327.1737))
        let llama = ExecutionPlan(data: 2, tensor: 4, pipeline: 2)
        #expect(near(try predicted("llama7", llama, forward: 534, nodes: 4), 1803.788))
    }

    @Test(.enabled(if: TrainingData.folder != nil, TrainingData.absence))
    func seventyVectorsOfAnotherProgramComeOut() throws {
        let rows = try TrainingData.rows("rubick/golden_iter_time.csv")
        #expect(rows.count == 70)
        for row in rows {
            let degrees = try ["dp", "tp", "pp", "gpus"].map { try #require(Int(row[$0] ?? "")) }
            let name = row["plan"] ?? ""
            let plan = ExecutionPlan(
                data: degrees[0], tensor: degrees[1], pipeline: degrees[2], checkpointing: name == "GC",
                sharding: name == "ZeRO-Offload" ? .offload : .none)
            let value = try predicted(
                row["model"] ?? "", plan, forward: try #require(Double(row["fwd_ms_input"] ?? "")),
                nodes: max(1, degrees[3] / 8), threads: Int(row["cpu_threads"] ?? "") ?? 1)
            let golden = try #require(Double(row["pred_iter_ms"] ?? ""))
            #expect(near(value, golden, 1e-6), "\(row)")
        }
    }

    @Test(arguments: CatalogueModel.all.map(\.name))
    func moreOfAResourceNeverSlowsAStep(name: String) throws {
        let model = try #require(CatalogueModel.named(name)).performance
        let offload = ExecutionPlan(data: 4, sharding: .offload)
        let byThreads = [1, 2, 4, 8, 16].map { model.stepMilliseconds(offload, forward: 100, threads: $0) }
        #expect(byThreads == byThreads.sorted(by: >) && byThreads[0] > byThreads[4])
        let byLink = [1.0, 10, 100, 1000].map { link in
            var faster = model
            faster.constants.nodeLink = link
            return faster.stepMilliseconds(ExecutionPlan(data: 8), forward: 10)
        }
        #expect(byLink == byLink.sorted(by: >))
        let bySize = [1.0, 2, 4].map { scale in
            var larger = model
            larger.model.parameters *= scale
            return larger.stepMilliseconds(ExecutionPlan(data: 8), forward: 10)
        }
        #expect(bySize == bySize.sorted())
    }

    @Test func plansAreReadAsPublishedTracesWriteThem() {
        #expect(
            ExecutionPlan(notation: "244", gpus: 32) == ExecutionPlan(data: 4, tensor: 4, pipeline: 2))
        #expect(ExecutionPlan(notation: "244", gpus: 16) == nil)
        #expect(ExecutionPlan(notation: "zero-offload+gc", gpus: 2)?.checkpointing == true)
        #expect(
            ExecutionPlan(notation: "what", gpus: 2) == nil && ExecutionPlan(notation: "", gpus: 2) == nil)
        for text in ["244", "ga", "gc", "zero-dp", "zero-offload", "zero-offload+gc"] {
            let gpus = text == "244" ? 32 : 4
            #expect(ExecutionPlan(notation: text, gpus: gpus)?.notation == text)
        }
    }
}
