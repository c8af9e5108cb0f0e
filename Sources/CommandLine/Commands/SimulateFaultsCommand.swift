internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Subprocess
#if canImport(System)
    internal import System
#else
    internal import SystemPackage
#endif

/// Runs `basalt-world`, which lies beside this program: the simulated control plane is built with the store,
/// and the store with libpq, which `basalt` does without.
struct SimulateFaultsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults",
        abstract: "Runs controllers and agents against faults, in simulated worlds of many seeds.",
        discussion: """
            Each seed is a fleet of 2 cells, 24 hosts and 3 controllers with a store in memory under a \
            virtual clock. Faults come at published rates times --acceleration. The invariants of operator \
            check are judged all along; after the last fault everything must recover. A seed that fails is \
            told on standard error with its last events, and repeats.
            """)

    @Option(help: "A seed, or the first and the last one, as in 1..200.") var seeds = "1..20"
    @Option(help: "Simulated hours of each seed.") var hours = 24.0
    @Option(help: "Factor on the published rates; 0 injects nothing.") var acceleration = 60.0
    @Option(help: "Kinds of faults to inject, separated by commas; all when absent.") var kinds: String?
    @Option(help: "Worlds that run at once.") var jobs = 2
    @OptionGroup var output: OutputOptions

    /// What the program says that people are shown.
    private struct Summary: Decodable {
        var seeds: Int
        var simulatedHours: Double
        var steps: Int
        var violations: Int
        var failedSeeds: [UInt64]
        var faultsInjected: [String: Int]
        var mttd: Double?
        var mttr: Double?
    }

    /// Bytes of the answer, which does not grow with the seeds but for the numbers of failed ones.
    private static let answerLimit = 16 << 20

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let place = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let program = place.appending(path: "basalt-world").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw CommandFailure("basalt-world was not found beside this program, at \(program)")
        }
        var arguments = [
            "--seeds", seeds, "--hours", "\(hours)", "--acceleration", "\(acceleration)", "--jobs", "\(jobs)",
            "--output", "json",
        ]
        if let kinds { arguments += ["--kinds", kinds] }
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments),
            output: .string(limit: Self.answerLimit), error: .string(limit: Self.answerLimit))
        let data = Data(result.standardOutput.utf8)
        guard !data.isEmpty else {
            let reason = result.standardError.split(separator: "\n").first.map(String.init)
            throw CommandFailure(reason ?? "basalt-world ended without an answer")
        }
        for line in result.standardError.split(separator: "\n") {
            surroundings.console.writeError(Printable.clean(String(line)) + "\n")
        }
        let summary = try JSONDecoder().decode(Summary.self, from: data)
        let value = try JSONDecoder().decode(JSONValue.self, from: data)
        output.show(Self.presentation(of: summary, value), surroundings)
        return summary.violations == 0 ? .done : .failed
    }

    private static func presentation(of summary: Summary, _ value: JSONValue) -> Presentation {
        func seconds(_ value: Double?) -> Text { Text(value.map { String(format: "%.1f s", $0) } ?? "-") }
        let rows = summary.faultsInjected.sorted { $0.key < $1.key }
            .map { [Text($0.key), Text("\($0.value)")] }
        return Presentation(
            [
                .fields([
                    .init("Seeds", Text("\(summary.seeds), \(summary.simulatedHours) simulated hours")),
                    .init("Violations", Text("\(summary.violations)")),
                    .init("Found after", seconds(summary.mttd)),
                    .init("Back after", seconds(summary.mttr)),
                ]), .heading("Faults"),
                .table(Table([.init("NAME"), .init("INJECTED", .always, .right)], rows)),
            ], names: summary.failedSeeds.map { "seed/\($0)" }, value: value)
    }
}
