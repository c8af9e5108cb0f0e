import APITypes
import Client
import Fleet
import Foundation
import Logging
import ProgramShell
import Store

/// A control plane with simulated hosts of several kinds, one real machine with an engine per replica of a
/// deployment, and a router: all of them processes.
struct ServingStage {
    private static let deployment = "chat"
    /// Models of devices, and how many hosts with how many of them.
    private static let mix = [
        (prefix: "a40", gpus: "a40=4", hosts: 4), (prefix: "a100", gpus: "a100=8", hosts: 2),
    ]

    let processes: ControlPlaneProcesses
    let client: RESTClient
    let replicas: Int
    private(set) var programs: [Process] = []

    init(_ processes: ControlPlaneProcesses, replicas: Int) throws {
        self.processes = processes
        self.replicas = replicas
        client = try RESTClient(
            ClientConfiguration(
                servers: [try ServerAddress(processes.address)], token: try processes.token,
                certificateFile: processes.certificateFile),
            seams: ClientSeams(
                sleep: SystemSeams.sleep, random: SystemSeams.random,
                ids: SystemSeams.ids))
    }

    /// Ends the engines, the router, and the agents beside the daemon's.
    func stop() async throws {
        // Agents leave running what they started.
        let all = Collection(.servingDeployment, project: ControlPlaneProcesses.project)
        do {
            _ = try await client.delete(Self.deployment, in: all)
            _ = try await waited("the engines end") { () async throws -> Bool? in
                do {
                    _ = try await client.get(Self.deployment, in: all)
                    return nil
                } catch let error as ClientError where error.isProblem(.notFound) {
                    return true
                }
            }
        } catch {
            StandardError.write("engines may be left running: \(error)")
        }
        try await client.shutdown()
        for program in programs.reversed() where program.isRunning {
            program.terminate()
            program.waitUntilExit()
        }
    }

    // MARK: Making it

    /// Makes pools, hosts and deployments, and waits until every replica is routed to.
    mutating func prepare(_ engines: ServingEngines) async throws {
        for pool in ["serving", "gpus"] {
            try await create(.pool, pool, PoolSpec(cell: ControlPlaneProcesses.cell, admits: [.serving]))
        }
        try await startAgent(
            "metal", pool: "serving", ["--name", "metal", "--substrate", "process", "--grace-seconds", "1"])
        for kind in Self.mix {
            try await startAgent(
                kind.prefix, pool: "gpus",
                [
                    "--name", kind.prefix, "--prefix", kind.prefix, "--simulate", "\(kind.hosts)",
                    "--gpus", kind.gpus,
                ])
        }
        let machine = try await waited("the machine is ready") {
            try? await client.get("metal", in: Collection(.host))
        }
        _ = try await client.patch(
            "metal", in: Collection(.host),
            with: .object([
                "metadata": .object(["labels": .object(["address": .string("127.0.0.1")])])
            ]), match: .version(of: machine))
        let host: HostStatus = try await waited("the machine's inventory is known") {
            try Self.decoded(try await client.get("metal", in: Collection(.host)).status)
        }
        try await create(.servingDeployment, "mixed", mixed)
        let arguments = try engines.write(to: processes.directory.appending(path: "engines.json"))
        try await create(.servingDeployment, Self.deployment, try spec(host, engines, arguments))
        _ = try await whole()
        _ = try await waited("the mixed deployment has a plan") {
            try await status(of: "mixed").plan.flatMap { $0.groups.isEmpty ? nil : $0 }
        }
    }

    private func create(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
        let project = kind.isTenant ? ControlPlaneProcesses.project : nil
        _ = try await client.create(
            WireDraft(kind: kind.rawValue, metadata: .init(name: name), spec: try Self.json(spec)),
            in: Collection(kind, project: project))
    }

    private mutating func startAgent(_ name: String, pool: String, _ arguments: [String]) async throws {
        let answer = try await client.createJoinToken(
            JoinTokenRequest(
                cell: ControlPlaneProcesses.cell, pool: pool, hosts: name + "*", ttlSeconds: 600))
        let token = processes.directory.appending(path: "\(name).join")
        try Data(answer.secret.utf8).write(to: token)
        try start(
            "basalt-agent", named: name,
            [
                "--server", processes.address, "--ca", processes.certificateFile, "--state-directory",
                processes.directory.appending(path: "agent-\(name)").path, "--join-token-file", token.path,
            ] + arguments)
    }

    private mutating func start(_ program: String, named name: String, _ arguments: [String]) throws {
        let process = try processes.program(program, named: name, arguments)
        try process.run()
        programs.append(process)
    }

    /// Prefill and decode on simulated devices: plans beside the one that is measured.
    private var mixed: ServingDeploymentSpec {
        ServingDeploymentSpec(
            cell: ControlPlaneProcesses.cell, pool: "gpus", model: "LLaMA-13B",
            demand: ServingDemand(requestsPerMinute: 240, promptTokens: 1000, outputTokens: 200),
            resourcesPerDevice: Resources(milliCPU: 4000, memoryMiB: 8192))
    }

    /// Each replica gets its part of what the machine has.
    private func spec(
        _ host: HostStatus, _ engines: ServingEngines, _ arguments: [String]
    ) throws -> ServingDeploymentSpec {
        let inventory = host.inventory
        let cpu = inventory.capacity.milliCPU - inventory.reserved.milliCPU
        let memory = inventory.capacity.memoryMiB - inventory.reserved.memoryMiB
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        return ServingDeploymentSpec(
            cell: ControlPlaneProcesses.cell, pool: "serving", model: "tiny",
            shape: ServingModelShape(layers: 2, hidden: 64, heads: 1, feedForward: 128, vocabulary: 1000),
            demand: ServingDemand(
                requestsPerMinute: 60 * engines.perSecond, promptTokens: engines.promptTokens,
                outputTokens: engines.tokens),
            maxStages: 1,
            resourcesPerDevice: Resources(milliCPU: cpu / replicas, memoryMiB: min(256, memory / replicas)),
            port: 20_000 + Int(ProcessInfo.processInfo.processIdentifier) % 20_000,
            run: RunSpec(
                command: [
                    own.appending(path: "basalt-fake-engine").path, "--port", "{port}", "--model", "{model}",
                ] + arguments))
    }

    /// Starts the router and waits until it listens.
    mutating func startRouter() async throws -> Int {
        try start(
            "basalt-router", named: "router",
            [
                "--listen", "127.0.0.1:0", "--server", processes.address, "--ca", processes.certificateFile,
                "--token-file", processes.tokenFile, "--project", ControlPlaneProcesses.project,
                "--deployment", Self.deployment,
            ])
        let log = processes.log(of: "router")
        return try await waited("the router listens") {
            let text = try String(contentsOf: log, encoding: .utf8)
            guard text.contains("following routes") else { return nil }
            return text.firstMatch(of: #/routing address="?127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
    }

    // MARK: Looking at it

    private func status(of name: String) async throws -> ServingDeploymentStatus {
        let document = try await client.get(
            name, in: Collection(.servingDeployment, project: ControlPlaneProcesses.project))
        return try Self.decoded(document.status) ?? ServingDeploymentStatus()
    }

    private static func json(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder().encode(value))
    }

    /// - Returns: nil before there is a status.
    private static func decoded<Value: Decodable>(_ value: JSONValue?) throws -> Value? {
        guard let value, value != .object([:]) else { return nil }
        return try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
    }

    /// Waits until every replica runs and is routed to.
    func whole() async throws -> ServingRoutes {
        try await waited("all replicas serve") {
            let status = try await status(of: Self.deployment)
            guard status.state == .running, let routes = status.routes, routes.pairs.count == replicas else {
                return nil
            }
            return routes
        }
    }

    /// Waits for routes after those held.
    func routes(after held: ServingRoutes) async throws -> ServingRoutes {
        while true {
            let found = try await client.servingRoutes(
                of: Self.deployment, project: ControlPlaneProcesses.project, after: held, wait: .seconds(20))
            if found.replaces(held) { return found }
        }
    }

    struct Loss {
        var detected: Timestamp
        var rerouted: Timestamp
    }

    /// When the ledger learned that a part was no more, and when routes without it were there; by the clock
    /// of the control plane.
    func loss(since: Timestamp) async throws -> Loss {
        try await waited("the loss is recorded") { () -> Loss? in
            let document = try await client.get(
                Self.deployment,
                in: Collection(.servingDeployment, project: ControlPlaneProcesses.project))
            let ends = try await processes.store.allocations(
                .workloads([document.metadata.uid])
            )
            .compactMap(\.releasedAt).filter { $0 > since }
            let routes = try await processes.store.events(
                EventQuery(kind: .servingDeployment, name: Self.deployment, reason: .rerouted, limit: 1000)
            ).map(\.at).filter { $0 > since }
            guard let detected = ends.min(), let rerouted = routes.filter({ $0 >= detected }).min() else {
                return nil
            }
            return Loss(detected: detected, rerouted: rerouted)
        }
    }

    /// The engine that listens on a replica's port.
    static func engine(at address: String) throws -> Int32 {
        let port = address.split(separator: ":").last.map(String.init) ?? ""
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            let file = "/proc/\(name)/cmdline"
            guard let id = Int32(name), let data = FileManager.default.contents(atPath: file)
            else { continue }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if words.first?.hasSuffix("basalt-fake-engine") == true, words.contains(port) { return id }
        }
        throw BenchmarkError("no engine listens on \(address)")
    }

    private func waited<Value>(
        _ what: String, _ look: () async throws -> Value?
    ) async throws -> Value {
        let end = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < end {
            if let found = try await look() { return found }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchmarkError("in vain waited until \(what); see \(processes.directory.path)")
    }
}
