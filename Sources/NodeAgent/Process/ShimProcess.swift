internal import Foundation
internal import Shim

/// Starts shims.
enum ShimProcess {
    /// Starts the shim of a part, which holds the lock of the part's journal from before it runs until it
    /// ends.
    ///
    /// One fork is enough for the shim to outlive the agent: it has a session of its own, and whoever is its
    /// parent then has nothing to do with it.
    /// - Returns: the process id, for the caller to reap.
    /// - Throws: `JournalError`: nothing runs then.
    static func start(program: String, part: PartDirectory) throws -> pid_t {
        let journal = Foundation.open(part.journal, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard journal >= 0 else { throw JournalError.system("open", part.journal) }
        defer { close(journal) }
        guard flock(journal, LOCK_EX | LOCK_NB) == 0 else {
            throw JournalError(code: .locked, path: part.journal, message: "a shim watches the part already")
        }
        guard lseek(journal, 0, SEEK_END) == 0 else {
            throw JournalError(code: .unreadable, path: part.journal, message: "the part was started before")
        }
        try DurableFile.syncDirectory(of: part.journal)
        return try spawn(program, part.path, journal: journal)
    }

    private static func spawn(_ program: String, _ directory: String, journal: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        let complaints = "\(directory)/\(PartFiles.complaints)"
        posix_spawn_file_actions_addopen(&actions, 2, complaints, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, journal, PartFiles.journalDescriptor)
        // Signals that the agent's runtime blocks or ignores are none of the shim's business.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup(program), strdup("run"), strdup(directory), nil,
        ]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let status = posix_spawn(&child, program, &actions, &attributes, &arguments, &environment)
        guard status == 0 else {
            throw JournalError(
                code: .system, path: program, message: "the shim: \(String(cString: strerror(status)))")
        }
        return child
    }
}
