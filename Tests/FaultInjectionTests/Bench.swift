import FaultInjection
import FaultLab
import Foundation
import Shim
import Testing

/// A directory with a target that is a process, and the built injector.
final class Bench {
    let directory: URL
    let command: [String]
    let target = FaultTarget(.agent, "x")
    /// Started here and not waited for yet.
    private var children: Set<pid_t> = []

    /// - Parameter name: unique among benches that are there at once.
    init(_ name: String) throws {
        var template = Array("/tmp/basalt-fault-XXXXXX".utf8CString)
        directory = URL(filePath: try #require(mkdtemp(&template).map { String(cString: $0) }))
        // Found by its command line, which no other process has.
        let number = 100_000 + abs(name.hashValue % 800_000)
        command = ["/usr/bin/tail", "-f", "/dev/null", "-s", "\(number).\(getpid())"]
        let entry = TargetFile.Entry(target: target, hosts: ["x"], program: .init(command: command))
        let host = TargetFile.Entry(target: FaultTarget(.host, "x"))
        try write([entry, host])
    }

    func write(_ entries: [TargetFile.Entry]) throws {
        try JSONEncoder().encode(TargetFile(targets: entries)).write(to: URL(filePath: targets))
    }

    var targets: String { directory.appending(path: "targets.json").path }
    /// Where a program of the target watches for its faults.
    var seam: String { directory.appending(path: "seam").path }
    var state: String { directory.appending(path: "state").path }

    /// Beside the bundle that the tests are in.
    static func executable(_ program: String) throws -> String {
        let folders = [Bundle.main.bundleURL, URL(filePath: ProcessInfo.processInfo.arguments[0])]
            .flatMap { [$0, $0.deletingLastPathComponent()] }
        return try #require(
            folders.map { $0.appending(path: program).path }
                .first { FileManager.default.isExecutableFile(atPath: $0) })
    }

    /// Starts a program, without waiting for it.
    func start(_ words: [String]) throws -> pid_t {
        var child = pid_t()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var pointers = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let status = posix_spawn(&child, words[0], nil, &attributes, &pointers, environ)
        try #require(status == 0, "\(words[0])")
        children.insert(child)
        return child
    }

    func injector(_ words: [String]) throws -> pid_t {
        try start([try Self.executable("basalt-injector")] + words)
    }

    /// Injects and returns the injector's status.
    func inject(
        _ kind: FaultKind, _ target: FaultTarget, lease: Int = 600, more: [String] = []
    ) async throws -> Int32 {
        try await status(
            of: injector(
                [
                    "inject", "--state-directory", state, "--targets", targets, "--name",
                    kind.rawValue.lowercased(), "--kind", kind.rawValue, "--target", "\(target)", "--lease",
                    "\(lease)",
                ] + more))
    }

    /// Takes everything back at once.
    func heal() async throws {
        let doctor = try injector(["doctor", "--fix", "--state-directory", state])
        try #require(try await status(of: doctor) == 0)
    }

    /// 128 + signal of one that was killed.
    func status(of child: pid_t) async throws -> Int32 {
        try await eventually("\(child) ends") {
            var raw: Int32 = 0
            guard waitpid(child, &raw, WNOHANG) == child else { return nil }
            self.children.remove(child)
            return raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
        }
    }

    /// Injections on disk.
    func armings() throws -> [Arming] {
        guard FileManager.default.fileExists(atPath: state) else { return [] }
        return try ArmingFolder(state).all()
    }

    /// Processes that are the target.
    func running() -> [ProcessIdentity] { Self.processes { $0 == command } }

    /// Processes of an injection.
    static func marked(_ prefix: String) -> [pid_t] {
        ids().filter { id in
            let data = FileManager.default.contents(atPath: "/proc/\(id)/environ") ?? Data()
            return data.split(separator: 0).contains {
                String(decoding: $0, as: UTF8.self).hasPrefix("BASALT_FAULT=\(prefix)")
            }
        }
    }

    private static func ids() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    }

    private static func processes(_ isMeant: ([String]) -> Bool) -> [ProcessIdentity] {
        ids().compactMap { id in
            guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline"), !line.isEmpty,
                isMeant(line.dropLast().split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
            else { return nil }
            return ProcessIdentity(of: id)
        }
    }

    /// Processes with a command line.
    static func commands(_ command: [String]) -> [ProcessIdentity] { processes { $0 == command } }

    static func state(of process: ProcessIdentity) -> Character? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process.processID)/stat") else {
            return nil
        }
        let text = String(decoding: data, as: UTF8.self)
        return text.lastIndex(of: ")").flatMap { text[$0...].dropFirst(2).first }
    }

    /// Ends what the bench started and removes it.
    func end() throws {
        for process in running() { kill(process.processID, SIGKILL) }
        for process in Self.processes({ $0.contains(state) }) { kill(process.processID, SIGKILL) }
        // Its own alone: other tests wait for theirs in this process.
        for child in children {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        try FileManager.default.removeItem(at: directory)
    }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Asks again until there is a value.
func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(120), _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await probe() { return value }
        guard ContinuousClock.now < deadline else {
            throw TimedOut(description: "not within \(limit): \(what)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

func eventually(
    _ what: String, within limit: Duration = .seconds(120), _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what, within: limit) { try await condition() ? true : nil }
}
