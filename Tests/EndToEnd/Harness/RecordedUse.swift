import Foundation
import Oversubscription
import Testing

@testable import Replay

/// Use that simulated VMs repeat: that of real VMs where it is recorded beside the package, else a week that
/// was made up.
enum RecordedUse {
    private static let name = "bitbrains_rnd_2013-8_cpu_pct_x100.csv.gz"
    /// VMs of the file that are repeated: reading all of them takes an agent in a debug build half a minute.
    private static let vms = 60

    /// A week of six VMs by hours: busy at noon, and less so at the end of the week.
    private static let week = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Samples/week.csv").path

    /// The folder named by `BASALT_UTILIZATION`, or `shared/data/utilization` beside the package.
    private static var recorded: String? {
        let package = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let beside = package.deletingLastPathComponent().appending(path: "shared/data/utilization").path
        let named = ProcessInfo.processInfo.environment["BASALT_UTILIZATION"]
        return [named, beside].compactMap { $0.map { $0 + "/" + name } }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// A trace for `--usage-trace`.
    static func file(in folder: URL) throws -> String {
        guard let recorded else {
            print(
                "no recorded use: a made-up week is repeated; set BASALT_UTILIZATION to the folder of \(name)"
            )
            return week
        }
        let text = String(decoding: try GzipText.bytes(of: .file(path: recorded)), as: UTF8.self)
        let lines = text.split(separator: "\n").dropFirst().lazy.filter { line in
            // Some were sold nothing at first.
            line.split(separator: ",", maxSplits: 2).dropFirst().first != "0"
        }.prefix(vms)
        let file = folder.appending(path: "recorded.csv")
        try Data(lines.map { filled($0) + "\n" }.joined().utf8).write(to: file)
        print("\(lines.count) VMs of \(name) are repeated")
        return file.path
    }

    /// The line with the sample before it where one is missing, and at most all of the VM's cores.
    private static func filled(_ line: Substring) -> String {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        var last = 0
        let samples = fields.dropFirst(5).map { field in
            last = Double(field).map { min(Int($0.rounded()), Int(UsageSeries.full)) } ?? last
            return String(last)
        }
        return (fields.prefix(5).map(String.init) + samples).joined(separator: ",")
    }
}
