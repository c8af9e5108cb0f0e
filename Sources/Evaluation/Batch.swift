internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation

/// A wish for a suite to be put to scripted agents.
struct BatchRequest: Sendable, Codable {
    static let keys: Set<String> = ["suite", "problem", "agents", "seeds"]
    /// The agents that `problem run` knows.
    static let agents = [
        "always-yes", "dummy", "nsigma", "oracle", "random", "rulebook", "saboteur", "stuck",
    ]

    var suite: Suite
    var problem: String?
    var agents: [String]
    var seeds: Int

    init(_ data: Data, pool: ProblemPool) throws(Problem) {
        let body = try RequestBody(data, keys: Self.keys)
        let word = try body.text("suite") ?? Suite.smoke.rawValue
        guard let suite = Suite(rawValue: word) else {
            throw RequestBody.defect(
                "suite", .unknownValue, "is one of \(Suite.offered.joined(separator: ", "))")
        }
        self.suite = suite
        seeds = try body.integer("seeds", 1...100) ?? 1
        agents = try body.texts("agents") ?? ["oracle"]
        guard !agents.isEmpty, Set(agents).count == agents.count,
            agents.allSatisfy(Self.agents.contains)
        else {
            throw RequestBody.defect(
                "agents", .unknownValue, "are of \(Self.agents.joined(separator: ", ")), each once")
        }
        problem = nil
        if let wanted = try body.text("problem") {
            do throws(ProblemRefusal) {
                problem = try pool.template(wanted).id
            } catch {
                throw RequestBody.defect("problem", .notFound, error.message)
            }
        }
    }

    func arguments(_ agent: String) -> [String] {
        let rest = problem.map { ["--problem", $0] } ?? []
        return ["problem", "run", "--suite", suite.rawValue, "--agent", agent, "--seeds", "\(seeds)"]
            + ["--jobs", "1", "--output", "json"] + rest
    }
}

/// Where a batch stands.
struct BatchCard: Sendable, Codable {
    enum State: String, Sendable, Codable { case running, done }

    var id: String
    var state: State
    var agents: [String]
    /// Those that have played.
    var done: [String]
    /// Those whose run ended without a result.
    var failed: [String]
}

struct BatchAnswer: Sendable, Codable {
    var id: String
    var state: BatchCard.State
    var agents: [String]
    var done: [String]
    var failed: [String]
    /// Of those that have played.
    var cards: [ScoreCard]
    var refused: [ProblemRefusal]

    init(card: BatchCard, results: [SuiteResult]) {
        id = card.id
        state = card.state
        agents = card.agents
        done = card.done
        failed = card.failed
        cards = results.map(\.totals)
        refused = results.first?.refused ?? []
    }
}
