internal import APITypes
internal import ArgumentParser
internal import Foundation

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

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var arguments = [
            "--seeds", seeds, "--hours", "\(hours)", "--acceleration", "\(acceleration)", "--jobs", "\(jobs)",
        ]
        if let kinds { arguments += ["--kinds", kinds] }
        let (data, said) = try await WorldProgram.answer(arguments)
        for line in said.split(separator: "\n") {
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
