import Foundation
import Testing

/// Texts that are written once and compared ever after.
enum Golden {
    /// - Parameter name: of the file beside the tests.
    static func compare(_ text: String, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: name)
        if ProcessInfo.processInfo.environment["BASALT_UPDATE_GOLDENS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let wanted = try String(contentsOf: file, encoding: .utf8)
        let (given, expected) = (text.split(separator: "\n"), wanted.split(separator: "\n"))
        for line in given where !expected.contains(line) { Issue.record("not in \(name): \(line)") }
        for line in expected where !given.contains(line) { Issue.record("only in \(name): \(line)") }
        #expect(given.count == expected.count)
    }
}
