import Fleet
import Foundation
import Replay
import Testing

/// The derived 30-day Azure trace, where it lies beside the package.
@Suite struct AzureTraceTests {
    private static let file = PackageRoot.url.deletingLastPathComponent().appending(
        path: "shared/data/vm-lifetimes/azure_v1_replay_30d_DERIVED.csv.xz")

    private static var isPresent: Bool { FileManager.default.fileExists(atPath: file.path) }

    /// Figures of an independent simulator in C with the same rules and integer scores: the first 300,000 s
    /// of shard 0, of which the last 100,000 s are measured, on 300 hosts of 64 vCPU and 192 GiB.
    @Test(.enabled(if: isPresent, "no shared/data/vm-lifetimes beside the package"))
    func oneShardHasTheFiguresOfAnIndependentSimulator() throws {
        let experiment = try VMExperiment(
            options: .init(
                hosts: 300, shape: HostShape(parsing: "64x192"), policies: [.bestFit, .firstFit],
                shard: Shard(index: 0, count: 8), warmUpSeconds: 200_000, untilSeconds: 300_000))
        let source = TraceSource.bytes(try beginning(), name: Self.file.lastPathComponent)
        let results = try experiment.run(reading: source, clock: ContinuousClock())
        #expect(results.map(\.placed) == [7582, 7582] && results.map(\.failed) == [0, 0])
        let empty = results.map { ($0.emptyHostsPct * 1000).rounded() / 1000 }
        let density = results.map { ($0.densityPct * 1000).rounded() / 1000 }
        #expect(empty == [57.298, 53.964])
        #expect(density == [62.655, 58.061])
    }

    /// Rows of the first 300,000 s and some more; the trace is in the order of arrivals.
    private func beginning() throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "xzcat \"$0\" | head -n 75000", Self.file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return [UInt8](data)
    }
}
