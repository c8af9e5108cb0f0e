import Testing

@testable import ServingPlanning

struct SimulationTests {
    /// One replica of LLaMA-13B on each of two nodes, whose prompts take a whole batch each.
    private func parts() throws -> (ServingHardware, LayoutModel) {
        let catalogue = try ServingCatalogue.seed()
        var settings = CostSettings()
        settings.requestSeconds = 0
        let hardware = try ServingHardware(
            cluster: Fixture.cluster([("A100-80-SXM", 1), ("A100-80-SXM", 1)]),
            model: try catalogue.model("LLaMA-13B"), settings: settings, catalogue: catalogue)
        let layout = Layout(stages: [.init(node: 0, tensor: 1, layers: 40)])
        return (hardware, try #require(LayoutModel(layout, on: hardware)))
    }

    /// Prompts of one length at half of what a server can do wait as M/D/1 says: the mean time to the first
    /// token is one and a half service times.
    @Test func promptsQueueAsBeforeOneServer() throws {
        let (hardware, model) = try parts()
        let prompt = 3000.0
        let service = model.prefill(tokens: prompt, squares: prompt * prompt).latency
        let sizes = [RequestSize](repeating: .init(prompt: Int(prompt), output: 1), count: 60_000)
        var simulation = ServingSimulation(
            prefill: [model], decode: [model], own: [nil], shares: [[1]], on: hardware)
        let times = simulation.run(TimedRequest.poisson(sizes, rate: 0.5 / service, seed: 4))
        let mean = times.reduce(0) { $0 + $1.ttft } / Double(times.count)
        #expect(abs(mean / service - 1.5) < 0.03, "\(mean / service)")
    }

    /// What plans are judged by, beside events: prompts of one length, and of very different ones in a pipeline.
    @Test(arguments: [[3000], [100, 200, 400, 800, 6000]])
    func formulasSeeThePipelineThatEventsSee(prompts: [Int]) throws {
        let catalogue = try ServingCatalogue.seed()
        let sizes = (0..<200).map { RequestSize(prompt: prompts[$0 % prompts.count], output: 1) }
        let problem = try Fixture.problem(
            Fixture.cluster([("A40", 4), ("A40", 4)]), requests: sizes, ttft: 4)
        let layout = Layout(
            stages: (0..<4).map { Stage(node: $0 % 2, tensor: 1, layers: 10) })
        let hardware = try ServingHardware(
            cluster: problem.hardware.cluster, model: try catalogue.model("LLaMA-13B"), catalogue: catalogue)
        let model = try #require(LayoutModel(layout, on: hardware))
        let costs = LayoutCosts(
            model, workload: problem.workload, levels: problem.levels,
            request: hardware.settings.requestSeconds)
        let rate = 0.7 * costs.prefillRate
        let found = PairAttainment(workload: problem.workload, levels: problem.levels)
            .prompts(costs, rate: rate, share: 1)
        var simulation = ServingSimulation(
            prefill: [model], decode: [model], own: [nil], shares: [[1]], on: hardware)
        let many = TimedRequest.shuffled((0..<100).flatMap { _ in sizes }, seed: 3)
        let times = simulation.run(TimedRequest.poisson(many, rate: rate, seed: 3))
        let alone = costs.latencies.reduce(0, +) / Double(costs.latencies.count)
        let mean = times.reduce(0) { $0 + $1.ttft } / Double(times.count)
        #expect(abs((alone + found.delay) / mean - 1) < 0.12, "\(alone) + \(found.delay), \(mean)")
        let inTime = Double(times.count { $0.ttft <= 4 }) / Double(times.count)
        let expected = found.first.reduce(0, +) / Double(found.first.count)
        #expect(abs(expected - inTime) < 0.05, "\(expected) \(inTime)")
    }

    @Test func oneRequestAloneTakesTheSumOfItsParts() throws {
        let (hardware, model) = try parts()
        var simulation = ServingSimulation(
            prefill: [model], decode: [model], own: [nil], shares: [[1]], on: hardware)
        let size = RequestSize(prompt: 1000, output: 101)
        let times = simulation.run([.init(arrival: 5, size: size)])[0]
        let first = model.prefill(tokens: 1000, squares: 1e6).latency
        let moving = KVPath(from: model.layout, to: model.layout, on: hardware).seconds(prompt: 1000)
        let steps = (0..<100).reduce(0.0) { $0 + model.step(sequences: 1, context: 1001 + Double($1)) }
        #expect(isNear(times.ttft, first))
        #expect(isNear(times.e2e, first + moving + steps, within: 1e-6))
        #expect(isNear(try #require(times.tpot), (moving + steps) / 100, within: 1e-8))
    }

    /// Steps taken together equal steps taken one by one.
    @Test func joiningSequencesShareSteps() throws {
        let (hardware, model) = try parts()
        var simulation = ServingSimulation(
            prefill: [model], decode: [model], own: [0], shares: [[1]], on: hardware)
        let times = simulation.run([
            .init(arrival: 0, size: .init(prompt: 500, output: 50)),
            .init(arrival: 0.5, size: .init(prompt: 500, output: 50)),
        ])
        #expect(times.allSatisfy { $0.e2e.isFinite && $0.tpot != nil })
        // The second one's prompt stands between the first one's steps.
        #expect(try #require(times[0].tpot) > model.step(sequences: 1, context: 501))
    }

    @Test func whatNoRouteIsForIsTurnedAway() throws {
        let (hardware, model) = try parts()
        var simulation = ServingSimulation(
            prefill: [model], decode: [model], own: [nil], shares: [[0.75]], on: hardware)
        let sizes = [RequestSize](repeating: .init(prompt: 10, output: 2), count: 400)
        let times = simulation.run(TimedRequest.poisson(sizes, rate: 1, seed: 1))
        #expect(times.count { $0.isShed } == 100)
        var long = ServingSimulation(
            prefill: [model], decode: [model], own: [nil], shares: [[1]], on: hardware)
        let shed = long.run([.init(arrival: 0, size: .init(prompt: 9_000_000, output: 1))])
        #expect(shed[0].isShed)
    }

    /// Far too many requests: all of those that are admitted end some time, and none is lost.
    @Test func overloadEndsInOrder() throws {
        let (hardware, model) = try parts()
        for own in [nil, 0] as [Int?] {
            var simulation = ServingSimulation(
                prefill: [model], decode: [model], own: [own], shares: [[1]], on: hardware)
            let sizes = Fixture.requests(500)
            let times = simulation.run(TimedRequest.poisson(sizes, rate: 100, seed: 2))
            #expect(times.allSatisfy { $0.e2e.isFinite && $0.ttft <= $0.e2e })
        }
    }

    @Test func shortWindowsMatchTheWeights() {
        var robin = SmoothRoundRobin([0.5, 0.3, 0, 0.2])
        let chosen = (0..<10).compactMap { _ in robin.next() }
        #expect((0..<4).map { index in chosen.count { $0 == index } } == [5, 3, 0, 2])
        #expect(zip(chosen, chosen.dropFirst()).count { $0 == $1 } <= 1)
        var none = SmoothRoundRobin([0, 0])
        #expect(none.next() == nil)
    }

    @Test func eventsComeByTimeAndThenByOrder() {
        var queue = EventQueue<Int>()
        var draws = Draws(seed: 1)
        let times = (0..<500).map { _ in Double(draws.below(50)) }
        for (index, time) in times.enumerated() { queue.add(index, at: time) }
        var found: [(Double, Int)] = []
        while let next = queue.next() { found.append((next.time, next.event)) }
        #expect(found.map(\.1) == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    }
}
