internal import Foundation

/// A program of the machine that is run to its end.
struct HostTool: Sendable {
    struct Outcome: Sendable {
        var status: Int32
        /// Of both streams, at most some kilobytes.
        var output: String
    }

    private static let places = [
        "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin",
    ]
    private static let patience = Duration.seconds(10)
    private static let lookEvery = Duration.milliseconds(5)

    /// Nil when the machine has none of that name.
    static func path(of name: String) -> String? {
        places.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// - Throws: `InjectionError` when there is no such program, or it does not end.
    static func run(_ words: [String]) async throws -> Outcome {
        guard let name = words.first, let program = path(of: name) else {
            throw InjectionError("\(words.first ?? "") is not installed")
        }
        var template = Array("/tmp/basalt-tool-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw InjectionError.system("mkstemp", "/tmp") }
        close(descriptor)
        let file = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(file) }
        let child = try Spawner.spawn([program] + words.dropFirst(), environment, output: file)
        let deadline = ContinuousClock.now + patience
        var raw: Int32 = 0
        while waitpid(child, &raw, WNOHANG) == 0 {
            guard ContinuousClock.now < deadline else {
                kill(child, SIGKILL)
                waitpid(child, &raw, 0)
                throw InjectionError("\(name) does not end")
            }
            try await Task.sleep(for: lookEvery)
        }
        let status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
        let text = String(
            decoding: FileManager.default.contents(atPath: file)?.prefix(8192) ?? Data(), as: UTF8.self)
        return Outcome(status: status, output: text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static var environment: [String] { ["PATH=" + places.joined(separator: ":"), "LC_ALL=C"] }
}
