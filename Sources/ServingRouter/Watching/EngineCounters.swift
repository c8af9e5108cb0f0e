/// What an engine has counted since it started, from its metrics in Prometheus' text format; as vLLM names them.
struct EngineCounters: Equatable {
    var promptTokens: Double
    var outputTokens: Double
    /// Requests that ended.
    var requests: Double

    /// - Returns: nil where the engine counts otherwise.
    init?(_ text: String) {
        var sums: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let end = line.firstIndex(where: { $0 == "{" || $0 == " " }),
                let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...])
            else { continue }
            sums[String(line[..<end]), default: 0] += value
        }
        guard let promptTokens = sums["vllm:prompt_tokens_total"],
            let outputTokens = sums["vllm:generation_tokens_total"],
            let requests = sums["vllm:request_success_total"]
        else { return nil }
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.requests = requests
    }

    init(promptTokens: Double, outputTokens: Double, requests: Double) {
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.requests = requests
    }

    /// What was counted since; nil when the engine was started anew meanwhile.
    func since(_ earlier: EngineCounters) -> EngineCounters? {
        guard requests >= earlier.requests, promptTokens >= earlier.promptTokens,
            outputTokens >= earlier.outputTokens
        else { return nil }
        return EngineCounters(
            promptTokens: promptTokens - earlier.promptTokens,
            outputTokens: outputTokens - earlier.outputTokens, requests: requests - earlier.requests)
    }
}
