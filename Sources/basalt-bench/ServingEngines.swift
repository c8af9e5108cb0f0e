import Foundation
import ServingPlanning

/// Engines of a size that has a name: one model and one GPU each, with the times of the cost model.
struct ServingEngines {
    /// Makes every plan here; it says nothing of how plans are searched.
    private static let evaluations = 40

    let replicas: Int
    let perSecond: Int
    let promptTokens: Int
    let tokens: Int
    let plan: ServingPlan

    init(
        model: String, gpu: String, replicas: Int, perSecond: Int, promptTokens: Int, tokens: Int
    ) throws {
        self.replicas = replicas
        self.perSecond = perSecond
        self.promptTokens = promptTokens
        self.tokens = tokens
        let catalogue = try ServingCatalogue.seed()
        let link = Link(latency: 50e-6, bandwidth: 1.25e9)
        let nodes = (0..<replicas).map { ServingNode(node: "n\($0)", type: gpu, count: 1) }
        let hardware = try ServingHardware(
            cluster: ServingCluster(nodes: nodes, links: nodes.map { _ in nodes.map { _ in link } }),
            model: try catalogue.model(model), catalogue: catalogue)
        var rules = PlanningRules()
        rules.phases = [.both]
        rules.maxStages = 1
        let problem = try PlanningProblem(
            hardware: hardware,
            workload: try ServingWorkload(
                rate: Double(perSecond), requests: [RequestSize(prompt: promptTokens, output: tokens)]),
            levels: try ServiceLevels(ttft: 2, tpot: 0.1, e2e: 30), rules: rules)
        plan = try ServingPlanner().plan(
            problem, limits: try SearchLimits(evaluations: Self.evaluations), seed: 1)
        guard plan.groups.count == replicas else {
            throw BenchmarkError("\(model) does not fit on one \(gpu): choose --model and --gpu that do")
        }
    }

    /// Arguments of an engine beside its port and model, once the plan has been written.
    func write(to file: URL) throws -> [String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try encoder.encode(plan).write(to: file)
        return ["--plan", file.path, "--group", "{group}", "--chunk-tokens", "8"]
    }

    /// A prompt of as many tokens as the engines count.
    var prompt: String { String(repeating: "Say ", count: promptTokens) }

    /// How busy one of so many replicas is: shares of what it reads and writes at most.
    func use(among count: Int) throws -> (reading: Double, writing: Double, sequences: Double) {
        guard let group = plan.groups.first else { throw BenchmarkError("the plan has no groups") }
        let model = try plan.layoutModel(of: group.name)
        let rate = Double(perSecond) / Double(count)
        let prompt = Double(promptTokens)
        let reading =
            model.prefill(tokens: prompt, squares: prompt * prompt).latency
            + plan.inputs.settings.requestSeconds
        func step(_ sequences: Double) -> Double {
            model.step(sequences: sequences, context: sequences * Double(promptTokens + tokens))
        }
        var sequences = 1.0
        // What is under way by Little's law, with the pace that so many have.
        for _ in 0..<100 { sequences = max(1, rate * (reading + Double(tokens) * step(sequences))) }
        let most = Double(group.batch) / step(Double(group.batch))
        return (rate * reading, rate * Double(tokens) / most, sequences)
    }
}
