import Foundation
import Testing

@Suite("Worlds in processes") struct TwoProcessesTests {
    private struct Answer: Decodable, Equatable {
        var traceHash: String
        var steps: Int
        var faultsInjected: [String: Int]
        var violations: Int
    }

    /// The program beside the tests.
    private static let program =
        Bundle.allBundles.map(\.bundleURL)
        .map { $0.deletingLastPathComponent().appending(path: "basalt-world") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "basalt-world")

    /// Waits on a thread of its own while the program runs.
    private func run(seeds: String, jobs: Int) throws -> Answer {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = [
            "--seeds", seeds, "--hours", "0.1", "--acceleration", "30000", "--jobs", "\(jobs)", "-o", "json",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try JSONDecoder().decode(Answer.self, from: data)
    }

    @Test("equal seeds leave equal traces in two processes, however many worlds run at once")
    func sameTrace() throws {
        let first = try run(seeds: "1..2", jobs: 1)
        #expect(first == (try run(seeds: "1..2", jobs: 2)))
        #expect(first.violations == 0)
        #expect(!first.faultsInjected.isEmpty)
        #expect(first.traceHash != (try run(seeds: "3", jobs: 1)).traceHash)
    }
}
