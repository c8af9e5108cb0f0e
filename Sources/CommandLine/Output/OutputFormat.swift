internal import Fleet
internal import ArgumentParser

/// How a result is shown.
enum OutputFormat: String, Sendable, CaseIterable {
    case table, wide, json, yaml, name

    /// - Throws: a sentence with the nearest choice.
    static func parse(_ text: String) throws -> OutputFormat {
        guard let format = OutputFormat(rawValue: text) else {
            throw ValidationError(NearestChoice.refusal("format", text, among: allCases.map(\.rawValue)))
        }
        return format
    }
}

/// `-o`, for every command that shows something.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml or name.",
        completion: .list(OutputFormat.allCases.map(\.rawValue)), transform: OutputFormat.parse)
    var output: OutputFormat = .table

    /// Writes a result to standard output in the format asked for.
    func show(_ presentation: Presentation, _ surroundings: Surroundings) {
        surroundings.console.write(Renderer(self, surroundings).text(of: presentation))
    }
}
