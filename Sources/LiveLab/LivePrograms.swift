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

    func startControlPlane(_ spawner: Spawner) async throws {
        let ready = directory + "/database.ready"
        try spawner.start(
            [
                program("basaltd"), "database", "--data-directory", directory + "/data", "--ready-file",
                ready,
            ], log: directory + "/database.log")
        try await LiveFleet.wait("the database is ready") { FileManager.default.fileExists(atPath: ready) }
        for index in ports.indices {
            try spawner.start(controller(index), log: "\(directory)/c-\(index + 1).log")
            try await LiveFleet.wait("controller c-\(index + 1) serves") {
                FileManager.default.fileExists(atPath: "\(directory)/c-\(index + 1).ready")
            }
        }
    }

    func controller(_ index: Int) -> [String] {
        [
            program("basaltd"), "serve", "--data-directory", directory + "/data", "--listen",
            "127.0.0.1:\(ports[index])", "--name", "c-\(index + 1)", "--ready-file",
            "\(directory)/c-\(index + 1).ready", "--host-lease-seconds", "\(options.hostLease)",
            "--cell-lease-seconds", "\(options.cellLease)",
            // Hosts come and go here, and that is what they are for.
            "--flaps", "1000",
        ]
    }

    private func proxyName(_ agent: String, _ index: Int) -> String { "\(agent).c-\(index + 1)" }

    private struct Proxy: Codable {
        var name: String
        var listen: String
        var upstream: String
    }

    private var proxyFile: String { directory + "/proxies.json" }

    func writeProxies(agents: [String]) throws {
        var free = try FreePorts.take(agents.count * ports.count + 1)
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
        try JSONEncoder().encode(proxies).write(to: URL(filePath: proxyFile))
    }

    private func proxies() throws -> [Proxy] {
        try JSONDecoder().decode([Proxy].self, from: Data(contentsOf: URL(filePath: proxyFile)))
    }

    private func api() throws -> String {
        try String(contentsOfFile: directory + "/proxy.api", encoding: .utf8)
    }

    func proxy(readyFile: String) throws -> [String] {
        [
            program("basalt-injector"), "proxy", "--listen", try api(), "--config", proxyFile, "--ready-file",
            readyFile,
        ]
    }

    func agentState(_ agent: String) -> String { "\(directory)/agent-\(agent)" }

    func agent(_ agent: String) throws -> [String] {
        let servers = try proxies().filter { $0.name.hasPrefix(agent + ".") }.map { "https://" + $0.listen }
        return [
            program("basalt-agent"), "--server", servers.joined(separator: ","), "--ca", authority,
            "--state-directory", agentState(agent), "--join-token-file", "\(directory)/\(agent).join",
            "--name", agent, "--substrate", "process", "--grace-seconds", "1",
        ]
    }

    private var targetFile: String { directory + "/targets.json" }

    func writeTargets(agents: [String], vms: [String]) throws {
        var targets: [TargetFile.Entry] = []
        for agent in agents {
            let program = TargetFile.Program(
                command: try self.agent(agent), log: "\(directory)/\(agent).log")
            targets.append(.init(target: FaultTarget(.agent, agent), hosts: [agent], program: program))
            targets.append(
                .init(
                    target: FaultTarget(.host, agent), hosts: [agent], program: program,
                    agentStates: [agentState(agent)]))
            targets.append(
                .init(
                    target: FaultTarget(.link, agent), hosts: [agent],
                    proxy: .init(
                        api: "http://" + (try api()), names: ports.indices.map { proxyName(agent, $0) })))
        }
        for index in ports.indices {
            targets.append(
                .init(
                    target: FaultTarget(.controller, "c-\(index + 1)"),
                    program: .init(command: controller(index), log: "\(directory)/c-\(index + 1).log")))
        }
        for vm in vms {
            targets.append(
                .init(target: FaultTarget(.vm, vm), agentStates: agents.map(agentState)))
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
