internal import ArgumentParser
internal import FaultLab
internal import Fleet

struct ProblemGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "problem", abstract: "Shows problems, and puts them to agents that are graded.",
        subcommands: [ProblemListCommand.self, ProblemShowCommand.self, ProblemRunCommand.self])
}

struct ProblemListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists problems, without what is wrong in them.")

    @Option(help: "smoke, lite or full.", transform: ProblemWords.suite) var suite = Suite.full
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let problems = try ProblemWords.pool().problems(of: suite)
        let cards = problems.map { $0.card(on: nil) }
        let rows = cards.map { card in
            [
                Text(card.id), Text(card.layer), Text(card.kind.rawValue),
                Text(card.suites.map(\.rawValue).joined(separator: ",")),
                card.refused == nil ? Text("yes", .good) : Text("no", .warning),
            ]
        }
        let table = Table(
            [.init("NAME"), .init("LAYER"), .init("KIND"), .init("SUITES"), .init("INJECTABLE")], rows)
        output.show(
            Presentation(
                [.table(table)], names: cards.map { "problem/\($0.id)" }, value: try Serialization.tree(cards)
            ),
            surroundings)
        return .done
    }
}

struct ProblemShowCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a problem with its truth: for those who judge, not for agents.")

    @Argument(help: "Such as AG-01.") var name: String
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let problem = try ProblemWords.failing { () throws(ProblemRefusal) in
            try ProblemPool.seed().template(name)
        }
        let truth = problem.truth
        let lines = problem.rejects.map { rule in
            "\(rule.verbs.map(\.rawValue).joined(separator: ", ")) (\(rule.credit)): \(rule.because)"
        }
        output.show(
            Presentation(
                [
                    .fields([
                        .init("Name", Text(problem.id)), .init("Title", Text(problem.title)),
                        .init(
                            "Faults",
                            Text(optional: problem.faults.map(\.kind.rawValue).joined(separator: ", "))),
                        .init("Lacks", Text(optional: problem.lacks)),
                        .init("Components", Text(optional: truth.components.joined(separator: ", "))),
                        .init(
                            "Level",
                            Text(optional: truth.systemLevels.map(\.rawValue).joined(separator: ", "))),
                        .init(
                            "Type", Text(optional: truth.faultTypes.map(\.rawValue).joined(separator: ", "))),
                        .init("Mechanism", Text(truth.mechanism)),
                        .init("Accepted", Text(problem.accept.map(\.rawValue).joined(separator: ", "))),
                    ]), .heading("Solution"), .lines(problem.oracle), .heading("No repair"), .lines(lines),
                ], names: ["problem/\(problem.id)"], value: try Serialization.tree(problem)), surroundings)
        return .done
    }
}

/// What commands about problems share.
enum ProblemWords {
    @Sendable static func suite(_ text: String) throws -> Suite {
        guard let suite = Suite(rawValue: text) else {
            throw ValidationError(NearestChoice.refusal("suite", text, among: Suite.offered))
        }
        return suite
    }

    static func pool() throws -> ProblemPool {
        try failing { () throws(ProblemRefusal) in try ProblemPool.seed() }
    }

    static func failing<Value>(_ body: () throws(ProblemRefusal) -> Value) throws(CommandFailure) -> Value {
        do { return try body() } catch { throw CommandFailure(error.message) }
    }
}
