internal import Foundation
internal import Subprocess
#if canImport(System)
    internal import System
#else
    internal import SystemPackage
#endif

/// Runs `basalt-world`, which lies beside this program: simulated fleets are built with the store, and the
/// store with libpq, which `basalt` does without.
enum WorldProgram {
    /// Bytes of an answer: some thousand for each session or seed.
    private static let answerLimit = 64 << 20

    /// - Returns: what it answered, as JSON, and what it said beside it.
    /// - Throws: `CommandFailure` when it is not there, or ends without an answer.
    static func answer(_ arguments: [String]) async throws -> (json: Data, said: String) {
        let place = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let program = place.appending(path: "basalt-world").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw CommandFailure("basalt-world was not found beside this program, at \(program)")
        }
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments + ["--output", "json"]),
            output: .string(limit: answerLimit), error: .string(limit: answerLimit))
        guard !result.standardOutput.isEmpty else {
            let reason = result.standardError.split(separator: "\n").first.map(String.init)
            throw CommandFailure(reason ?? "basalt-world ended without an answer")
        }
        return (Data(result.standardOutput.utf8), result.standardError)
    }
}
