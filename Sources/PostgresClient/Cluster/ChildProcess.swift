import Foundation

/// A program that runs to its end, with its output in a file.
///
/// `Foundation.Process` learns of a child's end from a socket that the child's own children inherit: it would
/// wait for the server that `pg_ctl` leaves behind. Waiting for the process id has no such tie.
enum ChildProcess {
    /// Runs the program in the root directory, in a process group of its own, with no descriptors but the
    /// standard ones, and returns its exit status (128 + signal when it was killed).
    /// Throws `cluster.commandFailed`.
    static func run(_ path: String, _ arguments: [String], output: Int32) async throws -> Int32 {
        let processID = try spawn(path, arguments, output: output)
        let executor = DispatchExecutor(label: "postgres.child")
        return await withCheckedContinuation { continuation in
            executor.perform { continuation.resume(returning: wait(for: processID)) }
        }
    }

    private static func spawn(_ path: String, _ arguments: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        // A server must not keep the caller's sockets and locks open.
        for descriptor in openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        // The caller's directory may be closed to the other user.
        let command = ["/bin/sh", "-c", "cd / && exec \"$0\" \"$@\"", path] + arguments
        let environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var processID = pid_t()
        let status = withCStringArray(command) { argv in
            withCStringArray(variables) { envp in
                posix_spawn(&processID, "/bin/sh", &actions, &attributes, argv, envp)
            }
        }
        guard status == 0 else {
            throw PostgresError(
                .clusterCommandFailed, "cannot run \(path): \(String(cString: strerror(status)))")
        }
        return processID
    }

    private static func openDescriptors() -> [Int32] {
        // Where there is no /proc, closing on exec is up to whoever opened them.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }.sorted()
    }

    private static func wait(for processID: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) == -1 {
            // Interrupted calls go on; a child that someone else has waited for left no status.
            guard errno == EINTR else { return -1 }
        }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    /// Calls `body` with a NULL-terminated array of C strings that live until it returns.
    private static func withCStringArray<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }
}
