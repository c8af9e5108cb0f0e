internal import APITypes
internal import Client
internal import Fleet
internal import Foundation
internal import Replay
internal import Synchronization

/// Runs a whole fleet on this machine: a private Postgres, two controllers and four agents as processes, a
/// real trace through the REST API, and two of the processes killed half-way.
struct Demo {
    struct Options {
        var hosts: Int
        /// Seconds that the trace is replayed in.
        var seconds: Double
        /// Directory of data and logs; everything in it belongs to the demonstration.
        var directory: String
        /// Directory of the programs `basaltd` and `basalt-agent`.
        var programs: String
    }

    typealias Children = ThrowingDiscardingTaskGroup<any Error>

    /// Longest time that a step of the start or of the recovery may take.
    static let patience = Duration.seconds(60)
    static let lookEvery = Duration.milliseconds(100)

    let options: Options
    let trace: VMTrace
    let fleet: DemoFleet
    let surroundings: Surroundings

    /// Runs it; `stay` is waited for before everything is taken down.
    func run(then stay: @Sendable (DemoSummary, [String]) async throws -> Void) async throws -> DemoSummary {
        try await withThrowingDiscardingTaskGroup(returning: DemoSummary.self) { children in
            let stage = try await start(&children)
            let summary = try await perform(stage, &children)
            try await stay(summary, stage.addresses)
            for program in stage.all.withLock({ $0 }) where program !== stage.database { program.terminate() }
            try await wait("the programs to end") {
                stage.all.withLock { $0.filter { $0 !== stage.database } }.allSatisfy(\.hasEnded)
            }
            stage.database.terminate()
            return summary
        }
    }

    // MARK: Start

    func start(_ children: inout Children) async throws -> DemoStage {
        let data = options.directory + "/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let database = program(
            "database", "basaltd",
            ["database", "--data-directory", data, "--ready-file", options.directory + "/database.ready"])
        children.addTask { try await database.run() }
        say("a private Postgres in \(data)")
        try await wait("Postgres") { exists("database.ready") }
        let stage = DemoStage(database: database)
        for name in ["alpha", "beta"] { launch(controller(name, data: data), stage, &children) }
        stage.addresses = []
        for name in ["alpha", "beta"] {
            try await wait("controller \(name)") { exists("\(name).ready") }
            stage.addresses.append(try text("\(name).ready"))
        }
        stage.configuration = ClientConfiguration(
            servers: try ServerAddress.list(stage.addresses.joined(separator: ",")),
            token: try text("data/admin.token"), certificateFile: data + "/tls/ca.pem", retry: .persistent)
        say("controllers alpha and beta at \(stage.addresses.joined(separator: " and "))")
        try await connected(stage) { client in
            try await DemoFleet.apply(client, sessions: fleet.sessions)
            for session in fleet.sessions {
                try await writeJoinToken(session, client)
                launch(agent(session, stage), stage, &children)
            }
            try await wait("the hosts to be ready") {
                try await client.cluster().cells.reduce(0) { $0 + $1.readyHosts } == fleet.hosts
            }
            try await DemoFleet.createGPUVMs(client)
        }
        say("\(fleet.hosts) hosts in 2 cells, carried by \(fleet.sessions.count) agents")
        return stage
    }

    func launch(_ program: ChildProgram, _ stage: DemoStage, _ children: inout Children) {
        stage.all.withLock { $0.append(program) }
        children.addTask { try await program.run() }
    }

    private func program(_ name: String, _ executable: String, _ arguments: [String]) -> ChildProgram {
        ChildProgram(
            name: name, path: options.programs + "/" + executable, arguments: arguments,
            log: options.directory + "/\(name).log")
    }

    func controller(_ name: String, data: String) -> ChildProgram {
        program(
            name, "basaltd",
            [
                "serve", "--data-directory", data, "--listen", "127.0.0.1:0", "--name", name, "--ready-file",
                options.directory + "/\(name).ready", "--fleet-rate", String(rate),
            ])
    }

    func agent(_ session: DemoFleet.Session, _ stage: DemoStage) -> ChildProgram {
        var arguments = [
            "--server", stage.addresses.joined(separator: ","), "--ca",
            options.directory + "/data/tls/ca.pem",
            "--state-directory", options.directory + "/agents/\(session.name)", "--join-token-file",
            options.directory + "/\(session.name).join", "--name", session.name, "--simulate",
            String(session.hosts),
            "--prefix", session.name, "--shape", "64x192", "--racks", "5",
        ]
        if session.gpus > 0 { arguments += ["--gpus", "\(DemoFleet.gpuModel)=\(session.gpus)"] }
        return program("agent-\(session.name)", "basalt-agent", arguments)
    }

    private func writeJoinToken(_ session: DemoFleet.Session, _ client: RESTClient) async throws {
        let answer = try await client.createJoinToken(
            JoinTokenRequest(
                cell: session.cell, pool: session.pool, hosts: "\(session.name)-*", ttlSeconds: 600))
        try answer.secret.write(
            toFile: options.directory + "/\(session.name).join", atomically: true, encoding: .utf8)
    }

    /// Fleet seconds per second at which the trace's arrivals take the wanted time.
    var rate: Double { max(1, schedule.lastCreation.inSeconds / options.seconds) }

    /// VMs that outlive the replay stay, so that there is a fleet to look at.
    var schedule: ReplaySchedule { ReplaySchedule(trace, prefix: "trace", endsAtLastCreation: true) }

    // MARK: Small things

    func connected<Result>(_ stage: DemoStage, _ body: (RESTClient) async throws -> Result) async throws
        -> Result
    {
        guard let configuration = stage.configuration else { throw CommandFailure("no controller runs") }
        return try await RESTClient.with(configuration, seams: surroundings.seams, body)
    }

    private func exists(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: options.directory + "/" + file)
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: options.directory + "/" + file, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func say(_ text: String) { surroundings.console.writeError("demo: \(text)\n") }

    /// Waits until something holds.
    func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = surroundings.uptime() + Self.patience
        while try await !condition() {
            guard surroundings.uptime() < deadline else {
                throw CommandFailure("waited in vain for \(what); see the logs in \(options.directory)")
            }
            try await surroundings.seams.sleep(Self.lookEvery)
        }
    }
}

/// The programs of a demonstration and how they are reached.
final class DemoStage: Sendable {
    private struct Reach {
        var addresses: [String] = []
        var configuration: ClientConfiguration?
    }

    let database: ChildProgram
    /// Every program but the database, killed ones included.
    let all = Mutex<[ChildProgram]>([])
    private let reach = Mutex(Reach())

    init(database: ChildProgram) { self.database = database }

    var addresses: [String] {
        get { reach.withLock { $0.addresses } }
        set { reach.withLock { $0.addresses = newValue } }
    }

    var configuration: ClientConfiguration? {
        get { reach.withLock { $0.configuration } }
        set { reach.withLock { $0.configuration = newValue } }
    }

    /// The newest program of a name that runs.
    func running(_ name: String) -> ChildProgram? {
        all.withLock { $0.last { $0.name == name && !$0.hasEnded } }
    }
}
