internal import APITypes
internal import Client

/// What became of one document.
struct DocumentOutcome: Sendable {
    var reference: String
    /// Such as `created`.
    var word: String
    /// Lines below it, for people.
    var notes: [String]

    init(_ source: SourcedDraft, _ word: String, notes: [String] = []) {
        reference = source.reference
        self.word = word
        self.notes = notes
    }
}

/// Does one thing to each of many documents: a refused one does not keep the others from their turn.
enum DocumentLoop {
    /// Shows each outcome as it comes; as JSON and YAML all of them at the end.
    ///
    /// - Parameter body: nil when there is nothing to tell of a document.
    /// - Returns: the status of the first failure.
    static func run(
        _ drafts: [SourcedDraft], _ output: OutputOptions, _ surroundings: Surroundings,
        _ body: (SourcedDraft) async throws -> DocumentOutcome?
    ) async throws -> ExitStatus {
        var status = ExitStatus.done
        var outcomes: [DocumentOutcome] = []
        for source in drafts {
            do {
                guard let outcome = try await body(source) else { continue }
                outcomes.append(outcome)
                for line in lines(outcome, output.output) {
                    surroundings.console.write(Printable.clean(line) + "\n")
                }
            } catch let error as ClientError {
                let failure = CommandFailure(error, about: "\(source.place): \(source.reference)")
                // Without a server the rest would only fail more slowly.
                if error.problem == nil { throw failure }
                for line in failure.lines { surroundings.console.writeError(Printable.clean(line) + "\n") }
                if status == .done { status = failure.status }
            }
        }
        if output.output == .json || output.output == .yaml {
            output.show(Presentation([], value: value(outcomes)), surroundings)
        }
        return status
    }

    private static func lines(_ outcome: DocumentOutcome, _ format: OutputFormat) -> [String] {
        switch format {
        case .table, .wide: ["\(outcome.reference) \(outcome.word)"] + outcome.notes
        case .name: [outcome.reference]
        case .json, .yaml: []
        }
    }

    private static func value(_ outcomes: [DocumentOutcome]) -> JSONValue {
        let items = outcomes.map { outcome in
            var members: [String: JSONValue] = [
                "name": .string(outcome.reference), "outcome": .string(outcome.word),
            ]
            if !outcome.notes.isEmpty { members["notes"] = .array(outcome.notes.map(JSONValue.string)) }
            return JSONValue.object(members)
        }
        return .object(["items": .array(items)])
    }
}
