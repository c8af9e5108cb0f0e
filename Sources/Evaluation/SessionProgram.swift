internal import FaultLab
internal import Foundation
internal import Logging
internal import Subprocess
#if canImport(System)
    internal import System
#else
    internal import SystemPackage
#endif

/// Runs the program that holds one session's fleet and truth.
///
/// A process of its own for each: what an agent speaks to has nothing to give away, a session that crashes
/// takes no other with it, and ending it leaves nothing behind.
struct SessionProgram: Sendable {
    var path: String
    var arguments: [String]
    var logger: Logger

    /// Bytes of one line that the program says: an observation and what comes with it.
    private static let longestLine = 16 << 20

    /// Runs to the session's end.
    func run(_ session: LiveSession, _ order: SessionOrder) async {
        do {
            let first = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(arguments), input: .inputWriter,
                output: .sequence, error: .discarded
            ) { execution in
                await session.started(execution.processIdentifier.value)
                try await Self.converse(session, first, execution)
                await session.gone()
            }
            if !result.terminationStatus.isSuccess {
                logger.notice("session ended early", metadata: ["session": "\(session.id)"])
            }
        } catch {
            logger.warning(
                "session failed", metadata: ["session": "\(session.id)", "error": "\(error)"])
        }
        await session.gone()
    }

    private static func converse(
        _ session: LiveSession, _ first: String,
        _ execution: Execution<CustomWriteInput, SequenceOutput, DiscardedOutput>
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let writer = execution.standardInputWriter
                _ = try await writer.write(Array((first + "\n").utf8))
                for await line in session.lines { _ = try await writer.write(Array((line + "\n").utf8)) }
                try await writer.finish()
            }
            let lines = execution.standardOutput.strings(bufferingPolicy: .maxLineLength(longestLine))
            for try await line in lines {
                guard let said = try? JSONDecoder().decode(SessionLine.self, from: Data(line.utf8)) else {
                    continue
                }
                await session.heard(said)
            }
            group.cancelAll()
        }
    }

    /// Runs a batch of a scripted agent.
    ///
    /// - Returns: its result; nil when it ended without one.
    func answer() async -> Data? {
        do {
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(arguments),
                output: .string(limit: Self.longestAnswer), error: .discarded)
            return result.standardOutput.isEmpty ? nil : Data(result.standardOutput.utf8)
        } catch {
            logger.warning("batch failed", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static let longestAnswer = 256 << 20
}
