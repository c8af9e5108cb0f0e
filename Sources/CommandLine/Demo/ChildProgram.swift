internal import Foundation
internal import Subprocess
internal import Synchronization
#if canImport(System)
    internal import System
#else
    internal import SystemPackage
#endif

/// One program that the demonstration runs, in a session of its own so that Ctrl-C reaches the demonstration
/// only.
final class ChildProgram: Sendable {
    private struct State {
        var processID: pid_t?
        /// Its end is wanted.
        var isEnding = false
        var hasEnded = false
    }

    let name: String
    let log: String
    private let path: String
    private let arguments: [String]
    private let state = Mutex(State())

    /// - Parameter log: file that takes what it prints; appended to.
    init(name: String, path: String, arguments: [String], log: String) {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.log = log
    }

    var processID: pid_t? { state.withLock { $0.processID } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Runs it to its end.
    /// - Throws: `CommandFailure` when it cannot be started, or ends without having been told to.
    func run() async throws {
        let output = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        var platform = PlatformOptions()
        platform.createSession = true
        // Whatever ends the demonstration ends its programs, the politer way first.
        platform.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        defer { state.withLock { $0.hasEnded = true } }
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments), platformOptions: platform, input: .none,
            output: .fileDescriptor(output, closeAfterSpawningProcess: false),
            error: .fileDescriptor(output, closeAfterSpawningProcess: true)
        ) { execution in
            let processID = execution.processIdentifier.value
            self.state.withLock { $0.processID = processID }
        }
        let isEnding = state.withLock { state in
            state.processID = nil
            return state.isEnding
        }
        guard isEnding else {
            throw CommandFailure(
                "\(name) ended by itself (\(result.terminationStatus)); its last words are in \(log)")
        }
    }

    /// Asks it to end.
    func terminate() { signal(SIGTERM) }

    /// Ends it at once, as a crash would.
    func kill() { signal(SIGKILL) }

    private func signal(_ number: Int32) {
        state.withLock { state in
            state.isEnding = true
            if let processID = state.processID { _ = Foundation.kill(processID, number) }
        }
    }
}
