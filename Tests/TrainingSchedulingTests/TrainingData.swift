import Foundation
import Testing

/// Published measurements, where they are: the folder named by `BASALT_TRAINING`, or `shared/data/training`
/// beside the package.
enum TrainingData {
    static let folder: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["BASALT_TRAINING"]
        let beside = root.deletingLastPathComponent().appending(path: "shared/data/training").path
        return [named, beside].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }()

    static let absence: Comment = "no measurements: set BASALT_TRAINING to their folder"

    /// Rows of a table, by the names of its columns.
    static func rows(_ name: String) throws -> [[String: String]] {
        let text = try String(contentsOfFile: try #require(folder) + "/" + name, encoding: .utf8)
        var lines = text.replacing("\u{FEFF}", with: "").split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let header = lines.removeFirst()
        return lines.map { Dictionary(zip(header, $0)) { first, _ in first } }
    }
}
