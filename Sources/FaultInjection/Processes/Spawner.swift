internal import Foundation
internal import Synchronization

/// Starts programs that outlive their starter: each in a session of its own.
public final class Spawner: Sendable {
    private let children = Mutex<Set<pid_t>>([])
    private let owner: String?

    /// - Parameter owner: state directory of the injector that starts what injections need.
    public init(owner: String? = nil) { self.owner = owner }

    /// - Parameter mark: of an injection; none for what is only started again.
    @discardableResult
    public func start(
        _ command: [String], environment: [String: String] = [:], mark: String? = nil, log: String? = nil
    ) throws -> Int32 {
        reap()
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        variables[ProcessTable.markVariable] = mark
        variables[ProcessTable.ownerVariable] = mark == nil ? nil : owner
        let texts = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let child = try Self.spawn(command, texts, output: log ?? "/dev/null")
        children.withLock { _ = $0.insert(child) }
        return child
    }

    /// Takes the statuses of children that ended.
    func reap() {
        children.withLock { children in
            children = children.filter { waitpid($0, nil, WNOHANG) == 0 }
        }
    }

    /// Its status is the caller's to take.
    static func spawn(_ command: [String], _ variables: [String], output: String) throws -> pid_t {
        guard let program = command.first else { throw InjectionError("a command is empty") }
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
        // Signals that the injector's runtime blocks or ignores are none of the program's business.
        var none = sigset_t()
        var every = sigset_t()
        sigemptyset(&none)
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | 0x80  // SETSID
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var child = pid_t()
        let status = withCStrings(command) { argv in
            withCStrings(variables) { envp in
                posix_spawn(&child, program, &actions, &attributes, argv, envp)
            }
        }
        guard status == 0 else {
            throw InjectionError("\(program): \(String(cString: strerror(status)))")
        }
        return child
    }

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
