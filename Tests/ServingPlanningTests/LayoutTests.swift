import Testing

@testable import ServingPlanning

struct LayoutTests {
    @Test(arguments: [
        ([1.0, 2, 3], [60, 60, 25], [12, 23, 25]), ([1, 1, 4], [40, 40, 30], [15, 15, 30]),
        ([1, 1, 1], [60, 60, 60], [20, 20, 20]), ([1000, 1], [60, 60], [59, 1]),
    ])
    func layersGoBySpeedUpToWhatFits(speeds: [Double], caps: [Int], expected: [Int]) {
        #expect(LayerPartition.proportional(layers: 60, speeds: speeds, caps: caps) == expected)
    }

    @Test func layersThatDoNotFitAreNotForced() {
        #expect(LayerPartition.proportional(layers: 60, speeds: [1, 1], caps: [30, 29]) == nil)
        #expect(LayerPartition.proportional(layers: 60, speeds: [1, 1], caps: [60, 0]) == nil)
        #expect(LayerPartition.proportional(layers: 2, speeds: [1, 1, 1], caps: [9, 9, 9]) == nil)
    }

    @Test func everyPartitionIsWholeAndFits() {
        var draws = Draws(seed: 3)
        for _ in 0..<2000 {
            let count = 1 + draws.below(6)
            let speeds = (0..<count).map { _ in 0.01 + Double(draws.below(1000)) }
            let caps = (0..<count).map { _ in draws.below(50) }
            let layers = 1 + draws.below(100)
            let isPossible = caps.allSatisfy { $0 >= 1 } && caps.reduce(0, +) >= layers && count <= layers
            let found = LayerPartition.proportional(layers: layers, speeds: speeds, caps: caps)
            #expect((found != nil) == isPossible, "\(layers) \(speeds) \(caps)")
            guard let found else { continue }
            #expect(found.reduce(0, +) == layers && zip(found, caps).allSatisfy { $0 >= 1 && $0 <= $1 })
        }
    }

    /// Against all orders.
    @Test func theOrderHasTheWidestNarrowestLink() {
        var draws = Draws(seed: 5)
        for _ in 0..<50 {
            let count = 2 + draws.below(4)
            let widths = (0..<count).map { _ in (0..<count).map { _ in Double(1 + draws.below(50)) } }
            func narrowest(_ order: [Int]) -> Double {
                zip(order, order.dropFirst()).map { widths[$0][$1] }.min() ?? .infinity
            }
            let found = StageOrder.widest(Array(0..<count)) {
                Link(latency: 0, bandwidth: widths[$0][$1])
            }
            #expect(found.sorted() == Array(0..<count))
            #expect(narrowest(found) == Self.orders(count).map(narrowest).max())
        }
    }

    private static func orders(_ count: Int) -> [[Int]] {
        guard count > 1 else { return [[0]] }
        return orders(count - 1).flatMap { rest in
            (0..<count).map { Array(rest[..<$0]) + [count - 1] + Array(rest[$0...]) }
        }
    }

    private func search(_ problem: PlanningProblem) -> LayoutSearch {
        LayoutSearch(
            hardware: problem.hardware, workload: problem.workload, levels: problem.levels,
            maxStages: problem.rules.maxStages)
    }

    @Test func aGroupIsCutWhereItsTypesMeet() throws {
        let problem = try Fixture.problem(
            Fixture.cluster([("A40", 2), ("RTX-A5000", 2)]), model: "LLaMA-30B")
        let found = try #require(search(problem).best(GroupShape([(0, 2), (1, 2)]), for: .decode))
        #expect(found.model.layout.stages.map(\.node).sorted() == [0, 1])
        let layers = found.model.layout.stages.sorted { $0.node < $1.node }.map(\.layers)
        #expect(layers[0] > layers[1] && layers[0] + layers[1] == 60)
    }

    @Test func whatCannotHoldTheWeightsHasNoLayout() throws {
        let problem = try Fixture.problem(Fixture.cluster([("L4", 4)]), model: "LLaMA-30B")
        for count in 1...3 {
            #expect(search(problem).best(GroupShape([(0, count)]), for: .prefill) == nil)
        }
    }

    /// 52 heads are not to be dealt out to eight GPUs.
    @Test func blocksDivideTheHeads() throws {
        let problem = try Fixture.problem(Fixture.cluster([("A40", 8)]), model: "LLaMA-30B")
        #expect(problem.hardware.block(node: 0, tensor: 8) == nil)
        #expect(problem.hardware.block(node: 0, tensor: 4) != nil)
        // Two KV heads are copied to four GPUs.
        var shape = try ServingCatalogue.seed().model("Llama-3.1-8B")
        shape.kvHeads = 2
        #expect(shape.divides(by: 4) && !shape.divides(by: 3))
    }

    @Test func enginesCannotMergeKeysAndValues() {
        func layout(_ tensors: [Int]) -> Layout {
            Layout(stages: tensors.map { Stage(node: 0, tensor: $0, layers: 60 / tensors.count) })
        }
        let usual = EngineCapabilities()
        #expect(usual.allows(from: layout([2]), to: layout([2])))
        #expect(usual.allows(from: layout([2]), to: layout([4])))
        #expect(!usual.allows(from: layout([4]), to: layout([1])))
        #expect(!usual.allows(from: layout([1, 4]), to: layout([4, 2])))
        #expect(usual.allows(from: layout([1, 2]), to: layout([2, 4])))
        #expect(EngineCapabilities(anyTensorRatio: true).allows(from: layout([4]), to: layout([1])))
    }
}
