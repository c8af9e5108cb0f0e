import Testing

@testable import ServingPlanning

/// Clusters of Helix (Thesys-lab/Helix-ASPLOS25 at 148b733, Apache-2.0): what its integer programs were given, and the
/// placements and objectives that Gurobi found for them.
struct LayerFlowTests {
    /// Tokens per second with one layer, with two, and so on.
    private static let llama70B = [
        "L4": [
            7557.863040102793, 3625.714747409144, 2171.878169270482, 1476.084625195014, 1017.572796523607,
            747.7853772615942, 531.7025845523623,
        ],
        "T4": [5709.20794, 2434.367183, 1347.866524, 757.853186],
        "A100": [
            23833.869866, 11384.254666, 7201.412421, 5264.623374, 4096.654504, 3124.143078, 2595.679285,
            2045.641047, 1754.38189, 1392.634821, 1212.176845, 952.107398,
        ],
    ]
    private static let llama30B = [
        "T4": [1987.969336, 901.937689, 539.038735, 404.262143, 285.344669, 331.343128, 231.061907],
        "L4": [
            2485.538094, 1145.043878, 763.51768, 480.992194, 384.90095, 286.58741, 245.734697, 189.108429,
            168.167216, 212.637286, 193.496409,
        ],
    ]

    private func problem(
        layers: Int, _ types: String, _ rates: [String: [Double]], link: Double
    ) throws -> LayerFlow {
        let names = types.split(separator: " ").map(String.init)
        return try LayerFlow(
            layers: layers, nodes: names.map { .init(name: $0, rates: rates[$0] ?? []) },
            links: names.map { _ in names.map { _ in link } }, ends: 5e8)
    }

    private func cluster24() throws -> LayerFlow {
        try problem(
            layers: 80,
            "L4 T4 T4 L4 T4 L4 A100 T4 T4 A100 A100 L4 T4 T4 L4 T4 T4 A100 L4 T4 T4 L4 T4 L4", Self.llama70B,
            link: 61035.15625)
    }

    private func spans(_ starts: [Int], _ counts: [Int]) -> [Range<Int>] {
        zip(starts, counts).map { $0..<$0 + $1 }
    }

    @Test func thePublishedPlacementsFlowAsPublished() throws {
        let large = try cluster24().flow(
            spans(
                [
                    7, 34, 23, 53, 77, 53, 68, 26, 30, 37, 60, 42, 33, 38, 3, 0, 11, 14, 46, 42, 25, 53, 49,
                    26,
                ],
                [4, 4, 2, 7, 3, 7, 9, 4, 4, 12, 8, 7, 4, 4, 4, 3, 3, 9, 7, 4, 1, 7, 4, 7]))
        #expect(isNear(large, 1289.556, within: 0.001 * 1289.556), "\(large)")
        let small = try problem(
            layers: 60, "T4 L4 T4 T4 L4 T4 T4 T4 L4 L4", Self.llama30B, link: 75120.19230769231
        ).flow(spans([42, 36, 6, 18, 54, 12, 30, 0, 24, 48], [Int](repeating: 6, count: 10)))
        #expect(isNear(small, 286.587, within: 0.001 * 286.587), "\(small)")
    }

    /// The program was stopped before its optimum: the best chain of the same nodes does more.
    @Test func theBestChainIsNoWorse() throws {
        let problem = try cluster24()
        let chain = try #require(problem.chain())
        #expect(try problem.flow(chain) >= 1289.556)
        #expect(zip(chain, chain.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(chain.last?.upperBound == 80)
    }

    @Test func flowsAreThoseOfTheNarrowestCut() throws {
        let flow = try LayerFlow(
            layers: 2,
            nodes: [
                .init(name: "a", rates: [5, 1]), .init(name: "b", rates: [4]), .init(name: "c", rates: [3]),
                .init(name: "d", rates: [9, 2]),
            ],
            links: [[0, 2, 9, 9], [9, 0, 9, 9], [9, 9, 0, 9], [9, 9, 9, 0]], ends: 100)
        #expect(try flow.flow([0..<1, 1..<2, 1..<2, 0..<2]) == 2 + 3 + 2)
        #expect(try flow.flow([0..<1, 0..<1, 0..<1, 0..<0]) == 0)
        #expect(throws: ServingError.self) { try flow.flow([0..<1, 1..<3, 1..<2, 0..<2]) }
        #expect(throws: ServingError.self) { try flow.flow([0..<1]) }
        #expect(flow.chain() == [0..<1, 1..<1, 1..<1, 1..<2])
        #expect(try LayerFlow(layers: 9, nodes: flow.nodes, links: flow.links, ends: 1).chain() == nil)
    }
}
