import Foundation
import Testing

/// What the sources hold none of.
@Suite struct BudgetTests {
    @Test(arguments: [
        #"\btry!|\bas!\s"#, #"@unchecked\s+Sendable"#, #"nonisolated\(unsafe\)"#, #"\bfatalError\("#,
        #"Thread\.sleep|\busleep\("#, #"(?<![A-Za-z.])Task(\.detached)?\s*(\([^)]*\))?\s*\{"#,
        #"(?<![A-Za-z.])print\("#,
    ])
    func `budget of zero`(pattern: String) throws {
        let expression = try NSRegularExpression(pattern: pattern)
        for file in try SourceTree().files
        where !Self.printers.contains(file.module) || !pattern.contains("print") {
            for (number, line) in file.lines.enumerated() {
                let code = line.components(separatedBy: "//")[0]
                let range = NSRange(code.startIndex..., in: code)
                #expect(
                    expression.firstMatch(in: code, range: range) == nil,
                    "\(file.path):\(number + 1): \(line)")
            }
        }
    }

    /// A benchmark prints; nothing else does outside the renderer.
    private static let printers: Set = ["basalt-bench"]

    @Test func `files stay short`() throws {
        for file in try SourceTree().files {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func `time, ids and chance come from injected sources`() throws {
        let expression = try NSRegularExpression(
            pattern: #"\bDate\(\)|\bUUID\(\)|\.random\(in|SystemRandomNumberGenerator"#)
        for file in try SourceTree().files
        where !Self.sources.contains(file.path) && file.module != "basalt-bench" {
            for (number, line) in file.lines.enumerated() {
                let code = line.components(separatedBy: "//")[0]
                let range = NSRange(code.startIndex..., in: code)
                #expect(
                    expression.firstMatch(in: code, range: range) == nil,
                    "\(file.path):\(number + 1): \(line)")
            }
        }
    }

    /// The places that make the injected sources of a process.
    private static let sources: Set = [
        "Sources/PostgresClient/Configuration/JitterSource.swift", "Sources/ProgramShell/SystemSeams.swift",
        "Sources/basalt-agent/BasaltAgent.swift", "Sources/basalt-injector/SystemSeams+Injector.swift",
        "Sources/basalt-fake-engine/BasaltFakeEngine.swift", "Sources/basaltd/Wiring.swift",
        "Sources/basaltd/DataDirectory.swift", "Sources/basaltd/Serve.swift",
    ]
}
