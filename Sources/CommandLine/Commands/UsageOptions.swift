internal import ArgumentParser
internal import Fleet
internal import Replay

/// `--usage` and `--meta`, for commands that read what VMs used.
struct UsageOptions: ParsableArguments {
    @Option(
        help:
            "File of vm, cores, t0_unix, step_s and samples, a line per VM, may be gzip; - is standard input.",
        completion: .file())
    var usage: String
    @Option(help: "File of vm, first_ts, cores_first: what VMs have, where it differs.", completion: .file())
    var meta: String?

    func read() throws -> UsageTrace {
        let trace = try UsageTraceReader().read(try Self.source(usage))
        return try meta.map { try UsageMetaReader().applying(try Self.source($0), to: trace) } ?? trace
    }

    static func source(_ path: String) throws -> TraceSource {
        if path != "-" { try DocumentFile.requireFile(path) }
        return TraceSource(argument: path)
    }
}

/// What experiments can be shown as, beside the formats of every command.
enum FigureFormat: Sendable, Hashable {
    case plain(OutputFormat)
    /// A drawing.
    case svg
    /// Comma-separated text.
    case csv

    /// - Parameter extra: `svg` or `csv`, what the command has beside the formats of all.
    /// - Throws: a sentence with the nearest choice.
    static func parse(_ text: String, extra: FigureFormat, named name: String) throws -> FigureFormat {
        if text == name { return extra }
        guard let format = OutputFormat(rawValue: text) else {
            let known = OutputFormat.allCases.map(\.rawValue) + [name]
            throw ValidationError(NearestChoice.refusal("format", text, among: known))
        }
        return .plain(format)
    }
}

/// Turns what an experiment refuses into the one line that users see.
enum ExperimentFailure {
    static func wrap<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as OptionError {
            throw CommandFailure(error)
        } catch let error as TraceError {
            throw CommandFailure(error.description)
        }
    }
}
