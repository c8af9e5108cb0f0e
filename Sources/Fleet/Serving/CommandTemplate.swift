/// What stands in a command between braces and is filled in for each part, such as `--port {port}`.
public enum CommandPlaceholder: String, Sendable, Hashable, CaseIterable {
    /// Name of the served model.
    case model
    /// Replica, such as `g1`.
    case group
    /// Port that the replica shall listen on.
    case port
    /// Name under which others reach the part's host.
    case host
    /// Number of the part within its replica, from 0; the first serves HTTP.
    case rank
    /// Parts of the replica.
    case ranks
    /// Name under which others reach the host of the first part.
    case head
    /// GPUs that share layers, and stages that follow each other.
    case tensor, pipeline
    /// Layers of the stages, separated by commas.
    case layers
    /// Devices of the part, separated by commas.
    case devices
    /// Sequences at once.
    case slots
    /// Tokens of keys and values that fit.
    case contextTokens
    /// Bits of a key or value on its way.
    case kvBits
    /// Phases that the plan gives the replica when the part is made; routes change them without a restart.
    case role
}

/// A command with placeholders.
public enum CommandTemplate {
    /// Placeholders of a text, known or not; `{{` is a brace.
    static func names(in text: String) -> [String] {
        var found: [String] = []
        walk(text) { piece in
            if case .name(let name) = piece { found.append(name) }
        }
        return found
    }

    /// Fills in values. A text without placeholders stays as it is.
    public static func filled(_ text: String, _ values: [CommandPlaceholder: String]) -> String {
        var result = ""
        walk(text) { piece in
            switch piece {
            case .text(let text): result += text
            case .name(let name):
                result += CommandPlaceholder(rawValue: name).flatMap { values[$0] } ?? "{\(name)}"
            }
        }
        return result
    }

    /// Fills in the command, the environment and the directory.
    public static func filled(_ run: RunSpec, _ values: [CommandPlaceholder: String]) -> RunSpec {
        var run = run
        run.command = run.command.map { filled($0, values) }
        run.env = run.env?.mapValues { filled($0, values) }
        run.workingDirectory = run.workingDirectory.map { filled($0, values) }
        return run
    }

    /// Placeholders that do not exist, each with the nearest one that does.
    public static func defects(of run: RunSpec, at field: String) -> [FieldDefect] {
        let texts =
            run.command.map { ("\(field).command", $0) }
            + (run.env ?? [:]).sorted { $0.key < $1.key }.map { ("\(field).env.\($0.key)", $0.value) }
            + (run.workingDirectory.map { [("\(field).workingDirectory", $0)] } ?? [])
        let known = CommandPlaceholder.allCases.map(\.rawValue)
        return texts.flatMap { place, text in
            names(in: text).filter { CommandPlaceholder(rawValue: $0) == nil }.map { name in
                let near = NearestChoice.of(name, among: known).map { "; did you mean {\($0)}?" }
                let all = known.map { "{\($0)}" }.joined(separator: ", ")
                return FieldDefect(
                    field: place, code: .unknownValue,
                    message: "{\(name)} is filled in by nothing\(near ?? "; there are \(all)")")
            }
        }
    }

    private enum Piece {
        case text(String)
        case name(String)
    }

    /// A brace that no word and closing brace follow stands for itself, as in JSON.
    private static func walk(_ text: String, _ visit: (Piece) -> Void) {
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            visit(.text(String(rest[..<open])))
            let after = rest[rest.index(after: open)...]
            if after.first == "{" {
                visit(.text("{"))
                rest = after.dropFirst()
            } else if let close = after.firstIndex(of: "}"), close > after.startIndex,
                after[..<close].allSatisfy({ $0.isLetter && $0.isASCII })
            {
                visit(.name(String(after[..<close])))
                rest = after[after.index(after: close)...]
            } else {
                visit(.text("{"))
                rest = after
            }
        }
        visit(.text(String(rest)))
    }
}
