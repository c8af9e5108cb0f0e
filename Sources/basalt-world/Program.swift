internal import ArgumentParser
internal import FaultLab
internal import Fleet
internal import Foundation
internal import World

/// What `basalt simulate faults` runs: worlds of many seeds.
///
/// A program of its own, because the store's module links libpq and `basalt` does not.
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "Run the control plane against faults in simulated worlds.")

    enum Output: String, ExpressibleByArgument, CaseIterable { case table, json }

    @Option(help: "Seeds to run: a number, or the first and the last one as in 1..200.")
    var seeds = SeedRange(1...20)
    @Option(help: "Simulated hours of each seed.")
    var hours = 24.0
    @Option(help: "Factor on the published rates of faults; 0 injects none.")
    var acceleration = 60.0
    @Option(help: "Inject these kinds only, separated by commas.")
    var kinds: KindList?
    @Option(help: "Simulated seconds between two judgements of the invariants.")
    var checkEvery = 600.0
    @Option(help: "Worlds that run at once.")
    var jobs = 2
    @Option(name: [.customShort("o"), .long], help: "table or json.")
    var output = Output.table

    func validate() throws {
        guard hours > 0, hours <= 24 * 366 else { throw ValidationError("--hours is above 0, at most 8784") }
        guard acceleration >= 0, acceleration <= 1e6 else {
            throw ValidationError("--acceleration lies between 0 and 1000000")
        }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs lies between 1 and 64") }
        guard checkEvery >= 1 else { throw ValidationError("--check-every is at least 1") }
    }

    func run() async throws {
        let began = ContinuousClock.now
        var summary = Summary(hours: hours)
        try await withThrowingTaskGroup(of: WorldReport.self) { group in
            var left = Array(seeds.range)[...]
            for _ in 0..<jobs {
                if let seed = left.popFirst() {
                    group.addTask { try await World.run(self.configuration(seed)) }
                }
            }
            while let report = try await group.next() {
                summary.add(report)
                if !report.violations.isEmpty { Console.error(report.failureText) }
                if let seed = left.popFirst() {
                    group.addTask { try await World.run(self.configuration(seed)) }
                }
            }
        }
        summary.wallSeconds = began.duration(to: .now).inSeconds
        switch output {
        case .json: try Console.write(summary.json())
        case .table: Console.write(summary.table)
        }
        if summary.violations > 0 { throw ExitCode.failure }
    }

    private func configuration(_ seed: UInt64) -> WorldConfiguration {
        var configuration = WorldConfiguration(seed: seed, duration: .seconds(hours * 3600))
        configuration.acceleration = acceleration
        configuration.checkEvery = .seconds(checkEvery)
        if let kinds {
            configuration.faults = .drawn(
                seed: seed, surface: configuration.surface, duration: configuration.duration,
                acceleration: acceleration, kinds: kinds.kinds)
        }
        return configuration
    }
}

/// `7` or `1..200`.
struct SeedRange: ExpressibleByArgument {
    /// More are a slip of the keyboard.
    private static let limit: UInt64 = 1_000_000

    var range: ClosedRange<UInt64>

    init(_ range: ClosedRange<UInt64>) { self.range = range }

    init?(argument: String) {
        let ends = argument.components(separatedBy: "..")
        guard ends.count <= 2, let first = ends.first.flatMap({ UInt64($0) }),
            let last = ends.last.flatMap({ UInt64($0) }), first <= last, last - first < Self.limit
        else { return nil }
        range = first...last
    }

    var defaultValueDescription: String { "\(range.lowerBound)..\(range.upperBound)" }
}

struct KindList: ExpressibleByArgument {
    var kinds: Set<FaultKind>

    init?(argument: String) {
        let words = argument.split(separator: ",").map { FaultKind(rawValue: String($0)) }
        guard !words.isEmpty, words.allSatisfy({ $0 != nil }) else { return nil }
        kinds = Set(words.compactMap(\.self))
    }
}

enum Console {
    static func write(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
    static func error(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
