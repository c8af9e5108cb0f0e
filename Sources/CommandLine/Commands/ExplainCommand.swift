internal import APITypes
internal import ArgumentParser
internal import Fleet

struct ExplainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says what the fields of a document mean.")

    @Argument(help: "KIND, or KIND.FIELD such as vm.spec.resources.") var subject: String
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let parts = subject.split(separator: ".", maxSplits: 1).map(String.init)
        let kind = try Kind.document(parts.first ?? "")
        let entries = FieldGuide.entries(kind)
        var shown = entries
        if parts.count == 2 {
            let path = try Self.path(parts[1], among: entries.map(\.path))
            shown = entries.filter { $0.path == path || $0.path.hasPrefix(path + ".") }
        }
        // Not a table: what explains must not be cut.
        let lines = shown.flatMap { entry in
            ["\(entry.path) <\(entry.type)>"] + Self.broken(entry.help).map { "    \($0)" }
        }
        let fields: [Presentation.Field] = [
            .init("Kind", Text(kind.rawValue)), .init("Version", Text(WireDocument.apiVersion)),
            .init("About", Text(FieldGuide.about(kind))),
        ]
        let items = shown.map { entry in
            JSONValue.object([
                "field": .string(entry.path), "type": .string(entry.type), "meaning": .string(entry.help),
            ])
        }
        output.show(
            Presentation(
                [.fields(fields), .heading("Fields"), .lines(lines)], names: shown.map(\.path),
                value: .object(["kind": .string(kind.rawValue), "items": .array(items)])), surroundings)
        return .done
    }

    /// Lines of whole words that stay within the width of every other output.
    private static func broken(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= lineWidth {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// With the indent this is within 100 columns.
    private static let lineWidth = 92

    /// `resources` means `spec.resources`: nobody types `spec` in a hurry.
    private static func path(_ text: String, among paths: [String]) throws -> String {
        if let path = [text, "spec." + text, "metadata." + text].first(where: paths.contains) { return path }
        let short = paths.map {
            $0.hasPrefix("spec.") && !text.hasPrefix("spec") ? String($0.dropFirst(5)) : $0
        }
        throw CommandFailure(NearestChoice.refusal("field", text, among: short))
    }
}
