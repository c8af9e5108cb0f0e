import Client
import CommandLine
import Fleet
import Foundation
import Synchronization
import TestServer

/// Runs command lines inside the test against a fake control plane, and keeps what they wrote.
final class CommandFixture: Sendable {
    struct Outcome: Equatable {
        var status: ExitStatus
        var output: String
        var errors: String
    }

    let plane = FakeControlPlane()
    let time = VirtualTime()
    let ids = CountingIDSource()
    /// A folder of the test's own, with the token in it.
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "basalt-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write("token", "secret\n")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    /// Environment of a command that talks to `server`.
    func environment(_ server: String) -> [String: String] {
        [
            "BASALT_SERVER": server, "BASALT_TOKEN_FILE": path("token"), "BASALT_PROJECT": "shop",
            "BASALT_CONFIG": path("config.yaml"), "PATH": "/usr/bin:/bin",
        ]
    }

    /// - Parameters:
    ///   - server: nil for commands that need none.
    ///   - width: columns of the terminal that output goes to; nil is not a terminal.
    ///   - isPatient: sleeps last until they are cancelled, instead of no time.
    ///   - answer: what a person types when asked; nil is not a terminal.
    func run(
        _ arguments: [String], server: TestServer?, input: String = "", answer: String? = nil,
        width: Int? = nil, variables: [String: String] = [:], isPatient: Bool = false
    ) async -> Outcome {
        let written = Mutex((output: "", errors: ""))
        let console = Console(
            write: { text in written.withLock { $0.output += text } },
            writeError: { text in written.withLock { $0.errors += text } },
            outputIsTerminal: width != nil, errorIsTerminal: answer != nil, width: width)
        let time = time
        let surroundings = Surroundings(
            environment: environment(server?.address ?? "http://127.0.0.1:1").merging(variables) { $1 },
            console: console,
            readInput: { input }, readLine: { answer }, now: { Self.now }, uptime: { time.uptime },
            seams: ClientSeams(
                sleep: { try await isPatient ? VirtualTime.hang() : time.sleep($0) }, random: { 0.5 },
                ids: ids))
        let status = await CommandRunner(surroundings).run(arguments)
        return written.withLock { Outcome(status: status, output: $0.output, errors: $0.errors) }
    }

    /// Runs `body` while the fake control plane listens.
    func serving(_ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.with(plane.handler, body)
    }

    /// Two hours after the fake's fleet time.
    static let now = Timestamp(seconds: 1_767_225_600 + 7200)

    static let fleet = """
        apiVersion: basalt/v1
        kind: Cell
        metadata: {name: east}
        ---
        kind: Pool
        metadata:
          name: vms
          labels: {tier: "1"}
        spec:
          cell: east
          admits: [vm]
          cpuRatioPerMille: 1500
        ---
        kind: VM
        metadata: {name: web-1, project: shop}
        spec:
          resources: {milliCPU: 2000, memoryMiB: 4096}
          devices: [{model: H100, count: 2}]

        """
}
