import APITypes
import Client
import Fleet
import Foundation
import Logging
import PostgresClient
import Shim
import Testing

/// A whole Basalt in a directory of its own: Postgres, controllers, agents and the CLI, all as processes.
final class Deployment {
    /// Leases short enough that each scenario takes seconds.
    struct Leases {
        var host = 3.0
        var cell = 2.0
        /// How long absence stops nothing after a restore, seconds.
        var quarantine = 600.0
    }

    let directory: URL
    let leases: Leases
    private(set) var controllers: [String: Controller] = [:]
    /// The one controller that questions go to; all of them when nil.
    var focus: Controller?
    private(set) var agents: [String: SimulatedAgent] = [:]
    private var programs: [ChildProgram] = []
    private var clients: [String: RESTClient] = [:]
    private var database: ChildProgram?

    private init(directory: URL, leases: Leases) {
        self.directory = directory
        self.leases = leases
    }

    /// Runs a scenario. Whatever comes of it, every process is gone afterwards; after a failure the logs are
    /// told.
    static func run(
        _ leases: Leases = Leases(), database: Bool = true, _ scenario: (Deployment) async throws -> Void
    ) async throws {
        var template = Array("/tmp/basalt-e2e-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        // The private server runs as another user when the tests are root.
        try #require(chmod(path, 0o755) == 0)
        let deployment = Deployment(directory: URL(fileURLWithPath: path), leases: leases)
        do {
            if database { try await deployment.startDatabase() }
            try await scenario(deployment)
            try await deployment.tearDown()
        } catch {
            Issue.record("\(error)\n\(deployment.logs)")
            try await deployment.tearDown()
        }
    }

    // MARK: Postgres

    var dataDirectory: URL { directory.appending(path: "data") }

    private var cluster: PrivateCluster {
        PrivateCluster(
            PrivateCluster.Options(dataDirectory: dataDirectory.appending(path: "postgres")),
            logger: Logger(label: "endtoend") { _ in SwiftLogNoOpLogHandler() })
    }

    func startDatabase() async throws {
        let ready = directory.appending(path: "database.ready")
        if FileManager.default.fileExists(atPath: ready.path) {
            try FileManager.default.removeItem(at: ready)
        }
        let program = try start(
            "database", "basaltd",
            ["database", "--data-directory", dataDirectory.path, "--ready-file", ready.path])
        database = program
        try await eventually("the database is ready") {
            FileManager.default.fileExists(atPath: ready.path) || program.exitStatus != nil
        }
        try #require(program.exitStatus == nil, "basaltd database ended")
    }

    func stopDatabase(_ mode: PrivateCluster.StopMode) async throws {
        try await cluster.stop(mode)
        // Without its Postgres the program ends by itself.
        if let database { try #require(try await database.waitForExit() != 0) }
        database = nil
    }

    /// Makes the server anew, as on a machine that has only the backup. It must not run.
    func replaceDatabase() async throws {
        try FileManager.default.removeItem(at: dataDirectory.appending(path: "postgres"))
        try await startDatabase()
    }

    /// Writes the whole database into a file.
    func dumpDatabase(to file: URL) async throws {
        try await postgres("pg_dump", ["--schema", "public", "-f", file.path])
    }

    /// Puts everything back as it was when the file was written.
    func restoreDatabase(from file: URL) async throws {
        let script = ["-q", "-v", "ON_ERROR_STOP=1"]
        try await postgres("psql", script + ["-c", "DROP SCHEMA public CASCADE"])
        try await postgres("psql", script + ["-f", file.path])
    }

    /// Runs one of PostgreSQL's programs on the database to its end.
    private func postgres(_ program: String, _ arguments: [String]) async throws {
        guard case .socketDirectory(let directory, let port) = cluster.configuration.endpoint else {
            throw TimedOut(description: "the private server listens on no socket")
        }
        let child = try ChildProgram(
            "\(program)-\(programs.count)", path: "/usr/bin/\(program)",
            ["-h", directory, "-p", "\(port)", "-U", "postgres", "-d", "postgres"] + arguments,
            logs: self.directory)
        programs.append(child)
        let status = try await child.waitForExit(within: .seconds(60))
        try #require(status == 0, "\(program): \(child.log)")
    }

    // MARK: Programs

    func start(
        _ name: String, _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProgram {
        let child = try ChildProgram(
            name, program: program, arguments, environment: environment, logs: directory)
        programs.append(child)
        return child
    }

    /// Starts a controller, or starts one again at the address that it had.
    @discardableResult
    func startController(
        _ name: String, holdCommits: Bool = false, _ extra: [String] = []
    ) async throws -> Controller {
        let ready = directory.appending(path: "\(name).ready")
        if FileManager.default.fileExists(atPath: ready.path) {
            try FileManager.default.removeItem(at: ready)
        }
        let earlier = controllers[name]?.address.dropFirst("https://".count)
        var arguments =
            [
                "serve", "--data-directory", dataDirectory.path, "--listen",
                earlier.map(String.init) ?? "127.0.0.1:0",
                "--name", name, "--ready-file", ready.path, "--host-lease-seconds", "\(leases.host)",
                "--cell-lease-seconds", "\(leases.cell)", "--quarantine-seconds", "\(leases.quarantine)",
            ] + extra
        let hold = directory.appending(path: "\(name).hold")
        if holdCommits { arguments += ["--hold-commits", hold.path] }
        let program = try start(name, "basaltd", arguments)
        let address: String = try await eventually("controller \(name) serves") {
            guard program.exitStatus == nil else { throw TimedOut(description: "it ended: \(program.log)") }
            guard let data = FileManager.default.contents(atPath: ready.path) else { return nil }
            return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let controller = Controller(name: name, address: address, program: program, holdFile: hold)
        controllers[name] = controller
        return controller
    }

    /// Starts an agent with simulated hosts `PREFIX-0…`; its first start joins.
    @discardableResult
    func startAgent(
        _ name: String, hosts: Int, prefix: String? = nil, pool: String = "vms",
        _ extra: [String] = []
    ) async throws -> SimulatedAgent {
        let prefix = prefix ?? name
        let state = directory.appending(path: "agent-\(name)")
        let token = directory.appending(path: "\(name).join")
        if !FileManager.default.fileExists(atPath: token.path) {
            let answer = try await client().createJoinToken(
                JoinTokenRequest(cell: "east", pool: pool, hosts: prefix + "-*", ttlSeconds: 600))
            try Data(answer.secret.utf8).write(to: token)
        }
        return try startAgent(name, state: state, hosts: hosts, prefix: prefix, token: token, extra)
    }

    /// Starts an agent on a state directory as it is.
    @discardableResult
    func startAgent(
        _ name: String, state: URL, hosts: Int, prefix: String, token: URL, _ extra: [String] = []
    ) throws -> SimulatedAgent {
        let program = try start(
            name, "basalt-agent",
            [
                "--server", addresses, "--ca", authority, "--state-directory", state.path,
                "--join-token-file", token.path, "--simulate", "\(hosts)", "--prefix", prefix,
                "--name", name,
            ] + extra)
        let agent = SimulatedAgent(name: name, program: program, state: state)
        agents[name] = agent
        return agent
    }

    /// Starts an agent whose host is this machine under the agent's name, with parts as processes.
    @discardableResult
    func startProcessAgent(_ name: String, pool: String = "vms") async throws -> SimulatedAgent {
        let state = directory.appending(path: "agent-\(name)")
        let token = directory.appending(path: "\(name).join")
        if !FileManager.default.fileExists(atPath: token.path) {
            let answer = try await client().createJoinToken(
                JoinTokenRequest(cell: "east", pool: pool, hosts: name, ttlSeconds: 600))
            try Data(answer.secret.utf8).write(to: token)
        }
        let program = try start(
            name, "basalt-agent",
            [
                "--server", addresses, "--ca", authority, "--state-directory", state.path,
                "--join-token-file", token.path, "--name", name, "--substrate", "process",
                "--grace-seconds", "1",
            ])
        let agent = SimulatedAgent(name: name, program: program, state: state)
        agents[name] = agent
        return agent
    }

    /// Who runs the parts of an agent's machine, by allocation.
    func processes(of agent: SimulatedAgent) throws -> [String: ProcessRecord] {
        let parts = agent.state.appending(path: "substrate/parts")
        guard FileManager.default.fileExists(atPath: parts.path) else { return [:] }
        var found: [String: ProcessRecord] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: parts.path) {
            let file = parts.appending(path: "\(name)/\(PartFiles.process)")
            guard let data = FileManager.default.contents(atPath: file.path) else { continue }
            found[name] = ProcessRecord(String(decoding: data, as: UTF8.self))
        }
        return found
    }

    /// Runs the CLI to its end.
    func basalt(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let child = try ChildProgram(
            "basalt-\(programs.count)", program: "basalt", arguments,
            environment: [
                "BASALT_SERVER": focus?.address ?? addresses, "BASALT_TOKEN_FILE": tokenFile,
                "BASALT_CA": authority,
                "NO_COLOR": "1", "HOME": directory.path,
            ], logs: directory)
        programs.append(child)
        return (try await child.waitForExit(within: .seconds(60)), child.log)
    }

    /// A daemon with arguments of the test's own, run to its end.
    func basaltd(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let child = try start("basaltd-\(programs.count)", "basaltd", arguments)
        return (try await child.waitForExit(), child.log)
    }

    // MARK: Clients

    var addresses: String {
        controllers.values.sorted { $0.name < $1.name }.map(\.address).joined(separator: ",")
    }
    var authority: String { dataDirectory.appending(path: "tls/ca.pem").path }
    var tokenFile: String { dataDirectory.appending(path: "admin.token").path }

    func token() throws -> String {
        try String(contentsOfFile: tokenFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A client of all controllers, or of one.
    func client(
        of controller: Controller? = nil, token: String? = nil, retry: RetryPolicy = .interactive
    ) throws -> RESTClient {
        let servers = (controller ?? focus)?.address ?? addresses
        let secret = try token ?? self.token()
        let key = "\(servers) \(secret) \(retry)"
        if let known = clients[key] { return known }
        let made = try RESTClient(
            ClientConfiguration(
                servers: try ServerAddress.list(servers), token: secret, certificateFile: authority,
                retry: retry),
            seams: Self.seams)
        clients[key] = made
        return made
    }

    static let seams = ClientSeams(
        sleep: { try await Task.sleep(for: $0) }, random: { Double.random(in: 0..<1) },
        ids: TimeOrderedIDSource(
            now: { Timestamp(seconds: Date().timeIntervalSince1970) }, entropy: { UUID() }))

    // MARK: The end

    private var logs: String {
        programs.filter { !$0.name.hasPrefix("basalt-") || $0.exitStatus != 0 }.map { program in
            "--- \(program.name)\n"
                + program.log.split(separator: "\n").suffix(80).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private func tearDown() async throws {
        for client in clients.values { try await client.shutdown() }
        for program in programs where program !== database { try await program.end() }
        // Shims outlive agents; what they watch goes with them.
        for agent in agents.values {
            for process in try processes(of: agent).values where process.shim.isAlive {
                kill(process.shim.processID, SIGKILL)
            }
        }
        try await stopDatabase(.immediate)
        try FileManager.default.removeItem(at: directory)
    }
}

/// A running controller.
struct Controller {
    let name: String
    let address: String
    let program: ChildProgram
    let holdFile: URL

    /// From now on commits stop between lease check and COMMIT.
    func holdCommits() throws { try Data().write(to: holdFile) }

    func releaseCommits() throws { try FileManager.default.removeItem(at: holdFile) }

    var isHoldingCommit: Bool { FileManager.default.fileExists(atPath: holdFile.path + ".held") }
}

/// An agent with simulated hosts.
struct SimulatedAgent {
    let name: String
    let program: ChildProgram
    let state: URL
}
