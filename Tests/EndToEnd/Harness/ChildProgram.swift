import Foundation
import Testing

/// One of the built programs as a process of its own, with its output in a file.
///
/// Spawned directly: `Foundation.Process` waits for whoever inherits its socket, as a daemon's server does.
final class ChildProgram {
    let name: String
    let logFile: URL
    let processID: pid_t
    private var status: Int32?

    /// - Parameters:
    ///   - name: of the log file.
    ///   - program: one of the products, found beside the tests.
    convenience init(
        _ name: String, program: String, _ arguments: [String], environment: [String: String] = [:],
        logs: URL
    ) throws {
        try self.init(
            name, path: try Self.executable(program).path, arguments, environment: environment, logs: logs)
    }

    /// - Parameter path: of any program.
    init(
        _ name: String, path: String, _ arguments: [String], environment: [String: String] = [:], logs: URL
    ) throws {
        self.name = name
        logFile = logs.appending(path: name + ".log")
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        processID = try Self.spawn([path] + arguments, variables, output: logFile.path)
    }

    /// Exit status, 128 + signal when it was killed; nil while it runs.
    var exitStatus: Int32? {
        if let status { return status }
        var raw: Int32 = 0
        guard waitpid(processID, &raw, WNOHANG) == processID else { return nil }
        let signal = raw & 0x7F
        let ended = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
        status = ended
        return ended
    }

    /// Sends a signal while it runs.
    func signal(_ signal: Int32) { if exitStatus == nil { kill(processID, signal) } }

    func waitForExit(within limit: Duration = .seconds(20)) async throws -> Int32 {
        try await eventually("\(name) ends", within: limit) { exitStatus }
    }

    /// Ends it now, however it is, and takes its status.
    func end() async throws {
        signal(SIGKILL)
        signal(SIGCONT)
        _ = try await waitForExit()
    }

    var log: String {
        String(decoding: FileManager.default.contents(atPath: logFile.path) ?? Data(), as: UTF8.self)
    }

    /// Beside the bundle that the tests are in.
    static func executable(_ program: String) throws -> URL {
        let folders = [Bundle.main.bundleURL, URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])]
            .flatMap { [$0, $0.deletingLastPathComponent()] }
        let candidates = folders.map { $0.appending(path: program) }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "no \(program) beside the tests: \(candidates.map(\.path))")
    }

    private static func spawn(_ command: [String], _ variables: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A group of its own: an interrupt of the tests is theirs to handle.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var child = pid_t()
        let status = withCStrings(command) { argv in
            withCStrings(variables) { envp in
                posix_spawn(&child, command[0], &actions, &attributes, argv, envp)
            }
        }
        try #require(status == 0, "\(command[0]): \(String(cString: strerror(status)))")
        return child
    }

    /// Calls `body` with a NULL-terminated array of C strings that live until it returns.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array holds a NULL") }
            return body(base)
        }
    }
}
