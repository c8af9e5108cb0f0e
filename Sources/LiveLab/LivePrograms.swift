internal import FaultInjection
internal import FaultLab
internal import Foundation

/// Ports that nothing listened on a moment ago: programs that are started again must find theirs.
enum FreePorts {
    static func take(_ count: Int) throws -> [Int] {
        var held: [Int32] = []
        defer { for descriptor in held { close(descriptor) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            held.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let port = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                }
            }
            guard port else { throw LiveFleetError("no port is free") }
            return Int(in_port_t(bigEndian: address.sin_port))
        }
    }
}

/// Command lines of a live fleet.
struct LivePrograms {
    let options: LiveFleet.Options
    let directory: String
    /// Of the controllers.
    let ports: [Int]

    private func program(_ name: String) -> String { "\(options.programs)/\(name)" }

    private var authority: String { directory + "/data/tls/ca.pem" }

    var agents: [String] { (1...options.agents).map { "a-\($0)" } }

    func startDatabase(_ spawner: Spawner) async throws {
        let ready = directory + "/database.ready"
        try spawner.start(
            [
                program("basaltd"), "database", "--data-directory", directory + "/data", "--ready-file",
                ready,
            ], log: directory + "/database.log")
        try await LiveFleet.wait("the database is ready") { FileManager.default.fileExists(atPath: ready) }
    }

    func startProxies(_ spawner: Spawner) async throws {
        try writeProxies()
        let ready = directory + "/proxy.ready"
        try spawner.start(try proxy(readyFile: ready), log: directory + "/proxy.log")
        try await LiveFleet.wait("the proxies listen") { FileManager.default.fileExists(atPath: ready) }
    }

    func startControllers(_ spawner: Spawner) async throws {
        for index in ports.indices {
            try spawner.start(try controller(index), log: "\(directory)/c-\(index + 1).log")
            try await LiveFleet.wait("controller c-\(index + 1) serves") {
                FileManager.default.fileExists(atPath: "\(directory)/c-\(index + 1).ready")
            }
        }
    }

    func controller(_ index: Int) throws -> [String] {
        let store = options.storeByProxy ? try proxies().first { $0.name == storeProxy(index) } : nil
        return [
            program("basaltd"), "serve", "--data-directory", directory + "/data", "--listen",
            "127.0.0.1:\(ports[index])", "--name", "c-\(index + 1)", "--ready-file",
            "\(directory)/c-\(index + 1).ready", "--host-lease-seconds", "\(options.hostLease)",
            "--cell-lease-seconds", "\(options.cellLease)",
            // Hosts come and go here, and that is what they are for.
            "--flaps", "1000", "--log-format", "json",
        ] + (store.map { ["--database", Self.database(at: $0.listen)] } ?? [])
    }

    /// The private server, as one that is reached over the network.
    private static func database(at address: String) -> String {
        let parts = address.split(separator: ":")
        return
            "host=\(parts[0]) port=\(parts[1]) user=postgres dbname=postgres "
            + "sslmode=disable gssencmode=disable"
    }

    private func storeProxy(_ index: Int) -> String { "c-\(index + 1).store" }

    private func proxyName(_ agent: String, _ index: Int) -> String { "\(agent).c-\(index + 1)" }

    private struct Proxy: Codable {
        var name: String
        var listen: String
        var upstream: String
    }

    private var proxyFile: String { directory + "/proxies.json" }

    private func writeProxies() throws {
        var free = try FreePorts.take((agents.count + 1) * ports.count + 1)
        try LiveFleet.write("127.0.0.1:\(free.removeLast())", to: directory + "/proxy.api")
        var proxies: [Proxy] = []
        for agent in agents {
            for (index, port) in ports.enumerated() {
                proxies.append(
                    Proxy(
                        name: proxyName(agent, index), listen: "127.0.0.1:\(free.removeLast())",
                        upstream: "127.0.0.1:\(port)"))
            }
        }
        for index in ports.indices {
            proxies.append(
                Proxy(
                    name: storeProxy(index), listen: "127.0.0.1:\(free.removeLast())",
                    upstream: "unix:\(directory)/data/postgres.socket/.s.PGSQL.5432"))
        }
        try JSONEncoder().encode(proxies).write(to: URL(filePath: proxyFile))
    }

    private func proxies() throws -> [Proxy] {
        try JSONDecoder().decode([Proxy].self, from: Data(contentsOf: URL(filePath: proxyFile)))
    }

    private func api() throws -> String {
        try String(contentsOfFile: directory + "/proxy.api", encoding: .utf8)
    }

    private func proxy(readyFile: String) throws -> [String] {
        [
            program("basalt-injector"), "proxy", "--listen", try api(), "--config", proxyFile, "--ready-file",
            readyFile,
        ]
    }

    func agentState(_ agent: String) -> String { "\(directory)/agent-\(agent)" }

    private func seam(_ agent: String) -> String { "\(directory)/seam-\(agent)" }

    func agent(_ agent: String) throws -> [String] {
        let servers = try proxies().filter { $0.name.hasPrefix(agent + ".") }.map { "https://" + $0.listen }
        return [
            program("basalt-agent"), "--server", servers.joined(separator: ","), "--ca", authority,
            "--state-directory", agentState(agent), "--join-token-file", "\(directory)/\(agent).join",
            "--name", agent, "--substrate", "process", "--grace-seconds", "1", "--log-format", "json",
            "--fault-seam", seam(agent),
        ]
    }

    private var targetFile: String { directory + "/targets.json" }

    func writeTargets(vms: [String]) throws {
        var targets: [TargetFile.Entry] = []
        for agent in agents {
            let program = TargetFile.Program(
                command: try self.agent(agent), log: "\(directory)/\(agent).log")
            targets.append(
                .init(
                    target: FaultTarget(.agent, agent), hosts: [agent], program: program,
                    seams: [seam(agent)]))
            targets.append(
                .init(
                    target: FaultTarget(.host, agent), hosts: [agent], program: program,
                    agentStates: [agentState(agent)], seams: [seam(agent)]))
            targets.append(
                .init(
                    target: FaultTarget(.link, agent), hosts: [agent],
                    proxy: .init(
                        api: "http://" + (try api()), names: ports.indices.map { proxyName(agent, $0) }),
                    seams: [seam(agent)]))
        }
        for index in ports.indices {
            targets.append(
                .init(
                    target: FaultTarget(.controller, "c-\(index + 1)"),
                    program: .init(command: try controller(index), log: "\(directory)/c-\(index + 1).log"),
                    proxy: options.storeByProxy
                        ? .init(api: "http://" + (try api()), names: [storeProxy(index)]) : nil))
        }
        for vm in vms {
            targets.append(
                .init(
                    target: FaultTarget(.vm, vm), agentStates: agents.map(agentState),
                    seams: agents.map(seam)))
        }
        targets.append(
            .init(
                target: FaultTarget(.store, "primary"),
                database: .init(dataDirectory: directory + "/data/postgres")))
        try JSONEncoder().encode(TargetFile(targets: targets)).write(to: URL(filePath: targetFile))
    }

    var injector: [String] {
        [
            program("basalt-injector"), "run", "--state-directory", directory + "/injector", "--targets",
            targetFile, "--name", "live", "--server",
            ports.map { "https://127.0.0.1:\($0)" }.joined(separator: ","), "--ca", authority,
            "--token-file", directory + "/data/admin.token",
        ]
    }
}
