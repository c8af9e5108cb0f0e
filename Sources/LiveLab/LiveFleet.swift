internal import APITypes
public import Client
internal import FaultInjection
internal import FaultLab
internal import Fleet
internal import Foundation

/// A fleet of real processes on this machine, in a directory of its own: Postgres, two controllers, agents
/// that run VMs as processes, fault proxies between agents and controllers, and an injector.
public final class LiveFleet {
    public struct Options: Sendable {
        /// Where `basaltd`, `basalt-agent` and `basalt-injector` are.
        public var programs: String
        public var agents = 3
        /// Seconds; short ones make each scenario short.
        public var hostLease = 3.0
        public var cellLease = 2.0
        /// VMs that are there all the time.
        public var residents = 3
        /// Whether controllers reach the store by way of a fault proxy each; each statement takes longer so.
        public var storeByProxy = true

        public init(programs: String) { self.programs = programs }

        /// The windows of problems are for the product's host lease; a shorter lease makes everything happen
        /// that much sooner.
        var sustainShare: Double { min(1, hostLease / 30) }
    }

    static let project = "team"
    static let pool = "vms"
    /// What the fleet's own VMs run.
    static let command = ["/usr/bin/tail", "-f", "/dev/null"]

    public let options: Options
    let directory: String
    let client: RESTClient
    let seams: ClientSeams
    private let spawner = Spawner()
    let controllers: [(name: String, port: Int)]
    let agents: [String]
    /// Longest wait for a step of the start.
    private static let patience = Duration.seconds(120)

    private init(_ options: Options, directory: String, ports: [Int], seams: ClientSeams) throws {
        self.options = options
        self.directory = directory
        controllers = ports.enumerated().map { ("c-\($0.offset + 1)", $0.element) }
        agents = (1...options.agents).map { "a-\($0)" }
        self.seams = seams
        client = try RESTClient(
            try Self.configuration(directory, ports: ports, limits: .standard, retry: .interactive),
            seams: seams)
    }

    /// The token is there once a controller served.
    private static func configuration(
        _ directory: String, ports: [Int], limits: ClientLimits, retry: RetryPolicy
    ) throws -> ClientConfiguration {
        ClientConfiguration(
            servers: try ServerAddress.list(
                ports.map { "https://127.0.0.1:\($0)" }.joined(separator: ",")),
            token: try token(directory), certificateFile: directory + "/data/tls/ca.pem", retry: retry,
            limits: limits)
    }

    func configuration(
        ports: [Int], limits: ClientLimits, retry: RetryPolicy
    ) throws -> ClientConfiguration {
        try Self.configuration(directory, ports: ports, limits: limits, retry: retry)
    }

    private static func token(_ directory: String) throws -> String {
        try String(contentsOfFile: directory + "/data/admin.token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes a fleet, and ends every process of it whatever comes of `body`.
    /// - Throws: `LiveFleetError` when it does not come up, and what `body` throws.
    public static func run<Result>(
        _ options: Options, seams: ClientSeams, _ body: (LiveFleet) async throws -> Result
    ) async throws -> Result {
        var template = Array("/tmp/basalt-live-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template).map({ String(cString: $0) }), chmod(path, 0o755) == 0 else {
            throw LiveFleetError("no directory can be made under /tmp")
        }
        defer { clear(path) }
        let programs = LivePrograms(options: options, directory: path, ports: try FreePorts.take(2))
        let spawner = Spawner()
        try await programs.startDatabase(spawner)
        try await programs.startProxies(spawner)
        try await programs.startControllers(spawner)
        let fleet = try LiveFleet(options, directory: path, ports: programs.ports, seams: seams)
        do {
            try await fleet.found(programs)
            let result = try await body(fleet)
            try await fleet.client.shutdown()
            return result
        } catch {
            try await fleet.client.shutdown()
            throw error
        }
    }

    /// Again and again: what is ended may be started again by what is not yet.
    private static func clear(_ path: String) {
        for _ in 0..<5 { LocalProcesses.end(mentioning: path) }
        // why `try?`: a process that is just ending may hold a file; /tmp is cleaned by others too.
        try? FileManager.default.removeItem(atPath: path)
    }

    // MARK: - Making it

    private func found(_ programs: LivePrograms) async throws {
        func create(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
            _ = try await client.create(
                WireDraft(kind: kind.rawValue, metadata: .init(name: name), spec: try .of(spec)),
                in: Collection(kind))
        }
        try await create(.cell, "east", CellSpec())
        try await create(.pool, Self.pool, PoolSpec(cell: "east", admits: [.vm]))
        try await create(.project, Self.project, ProjectSpec())
        for agent in agents {
            let token = try await client.createJoinToken(
                JoinTokenRequest(cell: "east", pool: Self.pool, hosts: agent, ttlSeconds: 3600))
            try Self.write(token.secret, to: "\(directory)/\(agent).join")
            try spawner.start(programs.agent(agent), log: "\(directory)/\(agent).log")
        }
        try programs.writeTargets(vms: residents)
        try spawner.start(programs.injector, log: directory + "/injector.log")
        try await Self.wait("the agents report") {
            try await self.client.cluster().cells.reduce(0) { $0 + $1.readyHosts } == self.agents.count
        }
        try await Self.wait("the injector is there") {
            try await self.client.faultInjectors().contains { $0.isPresent }
        }
    }

    var residents: [String] { (0..<options.residents).map { "app-\($0)" } }

    var injectorState: String { directory + "/injector" }

    /// Runs a program of the fleet to its end.
    /// - Returns: whether it came to its end in time.
    func takeEverythingBack() async throws {
        let folder = try ArmingFolder(injectorState)
        try spawner.start(
            [options.programs + "/basalt-injector", "doctor", "--fix", "--state-directory", injectorState],
            log: directory + "/doctor.log")
        try await Self.wait("everything is taken back") { try folder.ids().isEmpty }
    }

    /// Names of faults that are in effect, by the injector's disk: it tells whoever answers or not.
    func inEffect() throws -> Set<String> { Set(try ArmingFolder(injectorState).all().map(\.fault)) }

    static func wait(
        _ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        var last: (any Error)?
        while true {
            do { if try await condition() { return } } catch { last = error }
            guard ContinuousClock.now < deadline else {
                throw LiveFleetError("not within \(limit): \(what)" + (last.map { ": \($0)" } ?? ""))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }
}

public struct LiveFleetError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

extension JSONValue {
    static func of(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }

    func read<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(self))
    }
}
