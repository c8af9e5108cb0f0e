internal import ArgumentParser
internal import Replay
internal import ServingPlanning

struct PlanMixCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "mix",
        abstract: "Chooses how many GPUs of each type serve a demand for the least money.",
        discussion: """
            What one GPU serves in time is measured beforehand, by size of requests, and replicas are single \
            GPUs. --config is the file of Mélange's solver: {"gpu_info": {NAME: {"cost", "tputs", "limit"}}, \
            "workload_distribution", "total_request_rate", "slice_factor"}; limit, which is optional, is how \
            many GPUs can be had. Or --profile, once per type, is {"gpu", "cost", "tputs", "indexes"} with the \
            tokens of the answers of each row and of the prompts of each column, and the demand is that of \
            --requests, each counted where it is nearest. The mix says whether it is certain that none is cheaper.
            """)

    @Option(help: "File of types, rates and demand, JSON.", completion: .file()) var config: String?
    @Option(help: "File of what one GPU of a type serves, JSON.", completion: .file())
    var profile: [String] = []
    @OptionGroup var requestOptions: ServingRequestOptions
    @Option(help: "Parts that requests of a size are cut into; of --config the file's, else 4.")
    var slices: Int?
    @Option(help: "Steps of the search, at most.") var evaluations = GPUMixPlanner.usualEvaluations
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard evaluations > 0 else { throw ValidationError("--evaluations: \(evaluations) is below 1") }
        if (config == nil) == profile.isEmpty {
            throw ValidationError("what do GPUs serve? give --config FILE, or --profile FILE once per type")
        }
        if config != nil, requestOptions.requests != nil || requestOptions.rate != nil {
            throw ValidationError("--config has a demand of its own; leave --requests and --rate out")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ServingFailure.wrap {
            let mix = try GPUMixPlanner(evaluations: evaluations).plan(try problem())
            output.show(try GPUMixTable.presentation(of: mix), surroundings)
        }
        return .done
    }

    private func problem() throws -> MixProblem {
        if let config { return try MixProblem(json: try ServingFailure.data(config), slices: slices) }
        let profiles = try profile.map { try ThroughputProfile(json: try ServingFailure.data($0)) }
        let requests = try requestOptions.read()
        return try MixProblem(
            profiles: profiles, rate: try requestOptions.rate(of: requests), requests: requests.sizes,
            slices: slices ?? 4)
    }
}
