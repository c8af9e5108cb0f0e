internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Replay
internal import ServingPlanning

struct PlanServingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "serving",
        abstract: "Plans which GPUs serve a language model together, in which phase, and for which requests.",
        discussion: """
            The cluster is {"cluster": [{"node", "type", "count", "price", "intra"}], "links": N x N}, links as \
            [µs, GB/s] from each node to each, prices in dollars per hour of the node. With --replan, the \
            plan says all of that itself, and --event what happened: gpu-lost:ID, or shift:FILE with requests that \
            come now. Searches stop on evaluations; time only caps them, and the plan says when it did. \
            Equal inputs and seeds give equal plans but for searchMs, which --no-measure-time leaves at 0.
            """)

    @Option(help: "File of nodes and links, JSON.", completion: .file()) var cluster: String?
    @Option(help: "Name of a known model, or a config.json of Hugging Face.", completion: .file())
    var model: String?
    @OptionGroup var requestOptions: ServingRequestOptions
    @Option(help: "Seconds until the first token.") var ttft: Double?
    @Option(help: "Seconds per token after the first.") var tpot: Double?
    @Option(help: "Seconds until the last token.") var e2e: Double?
    @Option(help: "Share of the requests that goodput counts as enough.") var target = 0.9
    @Option(help: "Dollars per hour that the chosen nodes may cost.") var budget: Double?
    @Flag(help: "Choose the cheapest nodes with which the target share is in time.") var cheapest = false
    @Flag(help: "Show what further dollars buy: the share in time of the best nodes for growing budgets.")
    var frontier = false
    @Option(help: "Stages of a pipeline, at most.") var maxPp = 4
    @Option(help: "Bits of keys and values on their way: 4, 8 or 16.") var kvBits = 16
    @Option(help: "Weights: fp16, fp8, fp4 or awq4.") var weights = WeightFormat.fp16.rawValue
    @Option(help: "Phases of groups: any, split or both.") var phases = "any"
    @Option(
        help: "Plan as another system would, for comparison: vllm, distserve or hexgen.",
        completion: .list(ServingBaseline.allCases.map(\.rawValue)))
    var baseline: String?
    @Flag(help: "A phase may have one replica, or one with more than half of its capacity.")
    var allowSinglePoints = false
    @Flag(help: "Keys and values may go to fewer GPUs than they come from.") var anyTensorRatio = false
    @Option(help: "Plans that are judged.") var evaluations = 1000
    @Option(help: "Seconds after which the search ends in any case.") var seconds = 10.0
    @Option(help: "Seed of the search.") var seed: UInt64 = 1
    @Option(help: "File of a plan to repair.", completion: .file()) var replan: String?
    @Option(help: "What it is repaired after: gpu-lost:ID or shift:FILE.") var event: String?
    @Flag(help: "With --replan: also search a plan from nothing, and say whether it pays.") var full = false
    @Flag(inversion: .prefixedNo, help: "Report the time of the search.") var measureTime = true
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or svg.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]),
        transform: { try FigureFormat.parse($0, extra: .svg, named: "svg") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ServingFailure.wrap {
            if frontier { return try showFrontier(surroundings) }
            var plan = try replan.map { try repaired($0, surroundings) } ?? made(surroundings)
            if !measureTime {
                plan.searchMs = 0
                plan.repair?.routesMs = 0
            }
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try ServingPlanTable.presentation(of: plan), surroundings)
            case .svg, .csv: surroundings.console.write(ServingPlanDrawing(plan).text)
            }
        }
        return .done
    }

    private func showFrontier(_ surroundings: Surroundings) throws {
        guard replan == nil, event == nil, baseline == nil, !cheapest, case .plain(let format) = output else {
            throw CommandFailure(
                "--frontier takes the nodes, the requests and --budget; it repairs and draws nothing")
        }
        let found = try planner(surroundings).frontier(
            try problem(), within: budget, steps: Self.frontierSteps, seconds: seconds, seed: seed)
        var options = OutputOptions()
        options.output = format
        options.show(try ServingFrontierTable.presentation(of: found), surroundings)
    }

    /// Budgets of a frontier: enough to see where it bends.
    private static let frontierSteps = 12

    private func planner(_ surroundings: Surroundings) -> ServingPlanner {
        ServingPlanner(uptime: surroundings.uptime)
    }

    private func made(_ surroundings: Surroundings) throws -> ServingPlan {
        guard event == nil else { throw CommandFailure("--event needs --replan PLAN") }
        let problem = try problem()
        let limits = try SearchLimits(evaluations: evaluations)
        let planner = planner(surroundings)
        if let baseline = try self.baseline.map(Self.baseline) {
            guard budget == nil, !cheapest, phases == "any" else {
                throw CommandFailure("--baseline takes all nodes and chooses phases; leave the rest out")
            }
            return try planner.plan(problem, as: baseline, limits: limits, seconds: seconds, seed: seed)
        }
        if budget != nil || cheapest {
            return try planner.rent(
                problem, within: budget, cheapest: cheapest, limits: limits, seconds: seconds, seed: seed)
        }
        return try planner.plan(problem, limits: limits, seconds: seconds, seed: seed)
    }

    private static func baseline(_ name: String) throws -> ServingBaseline {
        if let baseline = ServingBaseline(rawValue: name) { return baseline }
        let known = ServingBaseline.allCases.map(\.rawValue)
        throw CommandFailure(NearestChoice.refusal("baseline", name, among: known))
    }

    private func repaired(_ path: String, _ surroundings: Surroundings) throws -> ServingPlan {
        guard let event else { throw CommandFailure("what happened? give --event gpu-lost:ID or shift:FILE") }
        let plan = try ServingFailure.plan(path)
        return try planner(surroundings).repair(
            plan, after: try Self.event(event, rate: requestOptions.rate), seconds: min(seconds, 1),
            full: full ? try SearchLimits(evaluations: evaluations) : nil)
    }

    private static func event(_ text: String, rate: Double?) throws -> PlanEvent {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw CommandFailure(refusal(text)) }
        switch parts[0] {
        case "gpu-lost": return .gpuLost(parts[1])
        case "shift":
            let requests = try ServingRequestReader().read(try UsageOptions.source(parts[1]))
            guard let rate = rate ?? requests.rate else {
                throw CommandFailure("the requests have no timestamps; give --rate")
            }
            return .shift(try ServingWorkload(rate: rate, requests: requests.sizes))
        default: throw CommandFailure(refusal(text))
        }
    }

    private static func refusal(_ text: String) -> String {
        "no event \"\(text)\"; gpu-lost:ID and shift:FILE are events"
    }

    private func problem() throws -> PlanningProblem {
        guard let cluster, let model, let ttft, let tpot, let e2e else {
            throw CommandFailure("a plan needs --cluster, --model, --requests, --ttft, --tpot and --e2e")
        }
        guard let format = WeightFormat(rawValue: weights) else {
            let known = WeightFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure("no weights \"\(weights)\"; choose one of \(known)")
        }
        let catalogue = try ServingCatalogue.seed()
        let requests = try requestOptions.read()
        let hardware = try ServingHardware(
            cluster: try ServingCluster(json: try ServingFailure.data(cluster)),
            model: try Self.shape(model, catalogue),
            precision: ServingPrecision(weights: format, kvTransferBits: kvBits), catalogue: catalogue)
        return try PlanningProblem(
            hardware: hardware,
            workload: try ServingWorkload(
                rate: try requestOptions.rate(of: requests), requests: requests.sizes),
            levels: try ServiceLevels(ttft: ttft, tpot: tpot, e2e: e2e, target: target), rules: try rules())
    }

    private func rules() throws -> PlanningRules {
        var rules = PlanningRules()
        let choices: [String: [Phase]] = [
            "any": Phase.allCases, "split": [.prefill, .decode], "both": [.both],
        ]
        guard let phases = choices[phases] else {
            throw CommandFailure("no phases \"\(phases)\"; choose one of any, split, both")
        }
        rules.phases = phases
        rules.maxStages = maxPp
        rules.avoidsSinglePoints = !allowSinglePoints
        rules.engine.anyTensorRatio = anyTensorRatio
        return rules
    }

    /// A file wins over a name: names have no dot at the end of a path.
    private static func shape(_ text: String, _ catalogue: ServingCatalogue) throws -> ModelShape {
        guard text.hasSuffix(".json") else { return try catalogue.model(text) }
        return try ModelShape(config: try ServingFailure.data(text), name: text)
    }
}
