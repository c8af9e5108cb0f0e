import Fleet
import Foundation
import Logging
import PostgresClient
import ProgramShell
import Store

/// A development control plane and a simulated agent, as processes of the programs beside this one.
struct ControlPlaneProcesses {
    static let cell = "sim"
    static let project = "bench"
    private static let joinSecret = "bench-join-token"

    let directory: URL
    /// Base address of the daemon.
    let address: String
    let controller: Process
    let agent: Process
    let store: PostgresStore
    private let cluster: PrivateCluster
    private let logger: Logger

    /// Starts the daemon, makes a cell, a pool, a project and a join token, and prepares the agent.
    init(hosts: Int, logger: Logger) async throws {
        self.logger = logger
        directory = FileManager.default.temporaryDirectory
            .appending(path: "basalt-bench-\(ProcessInfo.processInfo.processIdentifier)")
        let data = directory.appending(path: "data")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let ready = directory.appending(path: "ready")
        controller = try Self.process(
            "basaltd",
            [
                "serve", "--dev", "--data-directory", data.path, "--listen", "127.0.0.1:0",
                "--ready-file", ready.path,
            ],
            log: directory.appending(path: "basaltd.log"))
        try controller.run()
        while !FileManager.default.fileExists(atPath: ready.path) {
            guard controller.isRunning else {
                throw BenchmarkError("basaltd did not start; see \(directory.path)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        cluster = PrivateCluster(
            PrivateCluster.Options(dataDirectory: data.appending(path: "postgres")), logger: logger)
        store = PostgresStore(
            pool: PostgresPool(configuration: cluster.configuration, jitter: .system, logger: logger),
            origin: "bench", logger: logger, jitter: .system)
        let token = directory.appending(path: "join")
        try Self.joinSecret.write(to: token, atomically: true, encoding: .utf8)
        address = try String(contentsOf: ready, encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        agent = try Self.process(
            "basalt-agent",
            [
                "--server", address, "--ca", data.appending(path: "tls/ca.pem").path, "--state-directory",
                directory.appending(path: "agent").path, "--join-token-file", token.path, "--name", "bench",
                "--simulate", "\(hosts)",
            ],
            log: directory.appending(path: "agent.log"))
    }

    /// Makes what the hosts and VMs belong to; the store must run.
    func prepare() async throws {
        let ids = SystemSeams.ids
        let context = WriteContext(actor: "user/bench", verb: "create")
        let drafts = [
            DocumentDraft(uid: .init(ids.next()), kind: .cell, name: Self.cell, spec: "{}"),
            DocumentDraft(uid: .init(ids.next()), kind: .project, name: Self.project, spec: "{}"),
            DocumentDraft(
                uid: .init(ids.next()), kind: .pool, name: "vms",
                spec: #"{"admits":["vm"],"cell":"\#(Self.cell)"}"#),
        ]
        for draft in drafts { _ = try await store.create([draft], context: context) }
        let connection = try await PostgresConnection.connect(cluster.configuration, logger: logger)
        try await connection.runScript(
            """
            INSERT INTO join_token (secret_hash, cell, pool, host_pattern, expires_at)
            VALUES (encode(sha256('\(Self.joinSecret)'), 'hex'), '\(Self.cell)', 'vms', '*', 'infinity')
            """)
        await connection.close()
    }

    /// File with the certificates that clients of the daemon trust.
    var certificateFile: String { directory.appending(path: "data/tls/ca.pem").path }

    /// File with the token of an administrator.
    var tokenFile: String { directory.appending(path: "data/admin.token").path }

    /// Prepares a program beside the daemon, whose log is `NAME.log` in the directory. Who runs it ends it.
    func program(_ program: String, named name: String, _ arguments: [String]) throws -> Process {
        try Self.process(program, arguments, log: log(of: name))
    }

    func log(of name: String) -> URL { directory.appending(path: "\(name).log") }

    /// Token of an administrator.
    var token: String {
        get throws {
            try String(contentsOfFile: tokenFile, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// The server of the daemon's database.
    var postgres: ProcessUsage {
        get throws {
            let file = directory.appending(path: "data/postgres/postmaster.pid")
            let text = try String(contentsOf: file, encoding: .utf8)
            guard let line = text.split(separator: "\n").first, let processID = Int32(line) else {
                throw BenchmarkError("\(file.path) does not begin with a process id")
            }
            return ProcessUsage(processID: processID)
        }
    }

    /// Ends both, the agent first, and removes what they wrote.
    func stop() throws {
        for process in [agent, controller] where process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try FileManager.default.removeItem(at: directory)
    }

    private static func process(_ name: String, _ arguments: [String], log: URL) throws -> Process {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let program = own.deletingLastPathComponent().appending(path: name)
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw BenchmarkError("\(name) is not built: swift build -c release --product \(name)")
        }
        try Data().write(to: log)
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        return process
    }
}
