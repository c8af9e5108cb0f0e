import Testing

@testable import ServingPlanning

@Suite struct StandingTests {
    @Test(arguments: [
        ("NVIDIA A100-SXM4-80GB", 81_920, "A100-80-SXM"), ("NVIDIA A100-PCIE-40GB", 40_960, "A100-40-PCIe"),
        ("NVIDIA A40", 46_068, "A40"), ("NVIDIA L4", 23_034, "L4"), ("NVIDIA RTX A6000", 49_140, "RTX-A6000"),
        ("NVIDIA H100 80GB HBM3", 81_559, "H100-SXM"), ("a40", 1, "A40"), ("NVIDIA GT 710", 2048, nil),
        ("simulated", 81_920, nil),
    ])
    func `a driver's name of a device means a type`(
        _ model: String, _ memory: Int, _ expected: String?
    ) throws {
        let found = try ServingCatalogue.seed().gpu(ofDevice: model, memoryMiB: memory)?.name
        #expect(found == expected)
    }

    @Test func `groups that stand get phases and routes, and keep what they hold`() throws {
        let problem = try Fixture.problem(Fixture.cluster([("A40", 4), ("RTX-3090Ti", 4)]))
        let whole = try ServingPlanner().plan(problem, limits: SearchLimits(evaluations: 200), seed: 1)
        let standing = whole.groups.map {
            StandingGroup(name: $0.name, phase: $0.phase, stages: $0.stages)
        }
        let same = try ServingPlanner().plan(standing: standing, problem, seed: 1)
        #expect(same.kind == .light)
        #expect(same.groups.map(\.stages) == whole.groups.map(\.stages))
        #expect(same.predicted.attainment >= whole.predicted.attainment - 0.02)
        // One group alone has to do both.
        let alone = try ServingPlanner().plan(standing: Array(standing.prefix(1)), problem, seed: 1)
        #expect(alone.groups.map(\.phase) == [.both])
        #expect(alone.routes.map(\.prefill) == [standing[0].name])
        #expect(throws: ServingError.self) {
            try ServingPlanner().plan(standing: [], problem, seed: 1)
        }
    }
}
