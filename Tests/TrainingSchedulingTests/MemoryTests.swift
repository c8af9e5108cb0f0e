import Foundation
import Testing
import TrainingScheduling

struct MemoryTests {
    private let model = ModelDescription(
        name: "m", parameters: 20e9, globalBatch: 512, hidden: 6144, layers: 44, sequence: 2048, heads: 48)

    @Test func dividingTheModelOrItsStateSavesMemory() {
        let memory = MemoryModel()
        func need(_ plan: ExecutionPlan) -> Double { memory.gibibytes(model, plan, microBatch: 1) }
        let plain = ExecutionPlan(data: 8, checkpointing: true)
        var sharded = plain
        sharded.sharding = .sharded
        var offload = plain
        offload.sharding = .offload
        let tensor = ExecutionPlan(data: 1, tensor: 8, checkpointing: true)
        #expect(need(plain) > need(sharded) && need(sharded) > need(offload))
        #expect(need(tensor) < need(plain))
        var kept = plain
        kept.checkpointing = false
        #expect(need(kept) > need(plain))
        #expect(MemoryModel.hostMiB(model, offload) > MemoryModel.hostMiB(model, plain))
    }

    @Test func afailureRulesOutWhatNeedsNoLessAndNothingElse() {
        var table = FailureTable()
        let failed = FailureTable.Entry(
            parameters: 10, plan: ExecutionPlan(data: 4, tensor: 4, pipeline: 2, sharding: .sharded),
            microBatch: 2)
        table.learn(failed)
        table.learn(failed)
        #expect(table.entries == [failed] && table.rules(out: failed))
        func changed(_ change: (inout FailureTable.Entry) -> Void) -> Bool {
            var entry = failed
            change(&entry)
            return table.rules(out: entry)
        }
        #expect(changed { $0.parameters = 11 } && changed { $0.microBatch = 4 })
        #expect(changed { $0.plan.tensor = 2 } && changed { $0.plan.sharding = .none })
        #expect(!changed { $0.parameters = 9 } && !changed { $0.microBatch = 1 })
        #expect(!changed { $0.plan.pipeline = 4 } && !changed { $0.plan.sharding = .offload })
        #expect(!changed { $0.plan.checkpointing = true })
        // A stronger failure stands for the weaker one.
        table.learn(.init(parameters: 9, plan: failed.plan, microBatch: 2))
        #expect(table.entries.count == 1 && table.entries[0].parameters == 9)
    }

    /// Runs of the BLOOM family on A100-80: those that ran out of memory, and what the others used.
    @Test(.enabled(if: TrainingData.folder != nil, TrainingData.absence))
    func runsThatFailedAreNotTakenToFit() throws {
        var table = FailureTable()
        var failed: [(row: [String: String], entry: FailureTable.Entry, fits: Bool)] = []
        var ran: [(entry: FailureTable.Entry, fits: Bool)] = []
        let name = "perf_truth/bloom_prequel_a100_80gb_megatron_deepspeed.csv"
        for row in try TrainingData.rows(name) {
            guard let (entry, fits) = judged(row) else { continue }
            let memory = row["mem"] ?? ""
            if memory == "OOM" {
                failed.append((row, entry, fits))
            } else if memory.hasSuffix("GB"), Double(memory.dropLast(2)) != nil {
                ran.append((entry, fits))
            }
        }
        #expect(failed.count == 6 && ran.count >= 99)
        let plain = failed.filter { $0.row["size"] == "181B" }
        #expect(plain.count == 3 && plain.allSatisfy { !$0.fits })
        // Layers that lie unevenly are beyond the model: the first failure teaches them.
        let uneven = failed.filter { $0.row["section"] == "Rebalancing layers" }
        #expect(uneven.count == 3)
        for item in failed { table.learn(item.entry) }
        #expect(uneven.allSatisfy { table.rules(out: $0.entry) })
        let refused = ran.filter { !$0.fits || table.rules(out: $0.entry) }
        #expect(Double(refused.count) <= 0.15 * Double(ran.count), "\(refused.count) of \(ran.count)")
    }

    private func judged(_ row: [String: String]) -> (FailureTable.Entry, Bool)? {
        let names = ["dp", "tp", "pp", "mbs", "cfg_hidden", "cfg_layers"]
        let numbers = names.compactMap { Int(row[$0] ?? "") }
        guard numbers.count == names.count, let billions = Double(row["est_size_b"] ?? "") else { return nil }
        let shape = ModelDescription(
            name: "bloom", parameters: billions * 1e9, globalBatch: Int(row["gbs"] ?? "") ?? 2048,
            hidden: numbers[4], layers: numbers[5], sequence: 2048, heads: Int(row["nheads"] ?? "") ?? 112,
            vocabulary: 250_880)
        let plan = ExecutionPlan(
            data: numbers[0], tensor: numbers[1], pipeline: numbers[2], checkpointing: true,
            sharding: .sharded)
        let entry = FailureTable.Entry(parameters: shape.parameters, plan: plan, microBatch: numbers[3])
        return (entry, MemoryModel().fits(shape, plan, microBatch: numbers[3], gpuGiB: 80))
    }
}
