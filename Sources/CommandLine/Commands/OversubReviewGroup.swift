internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct OversubReviewGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Shows and answers proposals that wait for a person.",
        discussion: """
            An answer that is no approval becomes a constraint of the proposal's scope, with author, reason and \
            expiry, and closes the proposal.
            """,
        subcommands: [
            ReviewListCommand.self, ReviewShowCommand.self, ReviewApproveCommand.self,
            ReviewCapCommand.self, ReviewPinCommand.self, ReviewExcludeCommand.self,
            ReviewSplitCommand.self, ReviewMergeCommand.self,
        ])

    static func card(_ text: String, _ client: RESTClient) async throws -> ScopeDecision {
        let open = try await client.rateReviews()
        let found = open.filter { $0.id.description.hasPrefix(text) || $0.scope.description == text }
        guard let card = found.first, found.count == 1 else {
            let words = found.isEmpty ? "no review" : "\(found.count) reviews"
            throw CommandFailure("\(words) of that name; basalt oversub review list shows them: \"\(text)\"")
        }
        return card
    }
}

/// Which proposal: its id, a beginning of it that is unique, or its scope.
struct ReviewArgument: ParsableArguments {
    @Argument(help: "Id or scope, as basalt oversub review list shows them.") var review: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func answer(
        _ verb: ScopeConstraint.Verb, ratio: Int? = nil, prototypes: [Int]? = nil,
        _ constraint: ConstraintOptions, _ surroundings: Surroundings
    ) async throws -> ExitStatus {
        let card = try await connection.connected(surroundings) { client, _ in
            try await OversubReviewGroup.card(review, client)
        }
        return try await constraint.write(
            verb, on: card.scope, ratio: ratio, prototypes: prototypes, output, connection, surroundings)
    }
}

struct ReviewListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the proposals that wait for a person.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let open = try await connection.connected(surroundings) { client, _ in try await client.rateReviews()
        }
        output.show(try RateTables(now: surroundings.now()).decisions(open), surroundings)
        return .done
    }
}

struct ReviewShowCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a proposal with the days it goes by, its gain and its risk.")

    @OptionGroup var argument: ReviewArgument

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let card = try await argument.connection.connected(surroundings) { client, _ in
            try await OversubReviewGroup.card(argument.review, client)
        }
        argument.output.show(try RateTables(now: surroundings.now()).card(card), surroundings)
        return .done
    }
}

struct ReviewApproveCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Agrees to a proposal; the controller of the cell applies it.")

    @OptionGroup var argument: ReviewArgument
    @Option(help: "Why it is safe.") var reason: String
    @Flag(help: "Only show what would happen.") var dryRun = false

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let approved = try await argument.connection.connected(surroundings) { client, _ in
            let card = try await OversubReviewGroup.card(argument.review, client)
            return try await client.approveRate(card.id, reason: reason, dryRun: dryRun)
        }
        argument.output.show(try RateTables(now: surroundings.now()).decisions([approved]), surroundings)
        return .done
    }
}

struct ReviewCapCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "cap", abstract: "Answers that the ratio shall not rise above one.")

    @OptionGroup var argument: ReviewArgument
    @Option(help: "vCPUs sold per vCPU, such as 1.5.") var ratio: String
    @OptionGroup var constraint: ConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await argument.answer(.cap, ratio: try OversubGroup.ratio(ratio), constraint, surroundings)
    }
}

struct ReviewPinCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Answers with a ratio of one's own.")

    @OptionGroup var argument: ReviewArgument
    @Option(help: "vCPUs sold per vCPU, such as 1.5.") var ratio: String
    @OptionGroup var constraint: ConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await argument.answer(.pin, ratio: try OversubGroup.ratio(ratio), constraint, surroundings)
    }
}

struct ReviewExcludeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "exclude", abstract: "Answers that the scope shall be left out.")

    @OptionGroup var argument: ReviewArgument
    @OptionGroup var constraint: ConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await argument.answer(.exclude, constraint, surroundings)
    }
}

struct ReviewSplitCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "split", abstract: "Answers that a shape of days is two.")

    @OptionGroup var argument: ReviewArgument
    @Option(help: "Shape, as the card names it.") var prototype: Int
    @OptionGroup var constraint: ConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await argument.answer(.split, prototypes: [prototype], constraint, surroundings)
    }
}

struct ReviewMergeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Answers that two shapes of days are one.")

    @OptionGroup var argument: ReviewArgument
    @Option(help: "Shape, as the card names it; twice.") var prototype: [Int]
    @OptionGroup var constraint: ConstraintOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await argument.answer(.merge, prototypes: prototype, constraint, surroundings)
    }
}
