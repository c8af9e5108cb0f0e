import Foundation

/// A program that is run to its end.
enum Program {
    /// What it wrote to the standard output; what it says beside that is dropped.
    ///
    /// - Throws: when it cannot be started, or ends with another status than 0.
    static func output(_ path: String, _ arguments: [String]) async throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        // The answers that are asked for are shorter than what a pipe holds.
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        guard status == 0 else { throw BenchmarkError("\(path) ended with status \(status): \(text)") }
        return text
    }
}
