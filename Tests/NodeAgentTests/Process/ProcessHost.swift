import AgentProtocol
import Fleet
import Foundation
import Logging
@testable import NodeAgent
import Shim
import Testing

/// A machine with a process substrate in a directory of its own; afterwards nothing of it runs.
final class ProcessHost {
    static let name = "node-1"

    let root: String
    let clock = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? "boot")
    var grace = Duration.seconds(5)
    var logBytes = 1 << 20
    var logFiles = 3
    private(set) var substrate: ProcessSubstrate?
    private var service: Task<Void, any Error>?

    private init(root: String) { self.root = root }

    static func run(
        in place: String? = nil, _ scenario: (ProcessHost) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let host = ProcessHost(root: place ?? directory.path)
        do {
            try host.open()
            try await scenario(host)
            try await host.end()
        } catch {
            try await host.end()
            throw error
        }
    }

    /// The agent comes (back).
    func open(running: Bool = true) throws {
        let configuration = ProcessConfiguration(
            directory: root + "/substrate", host: Self.name, shim: try Self.shim(), grace: grace,
            logBytes: logBytes, logFiles: logFiles)
        let opened = try ProcessSubstrate.open(
            configuration, clock: clock, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
        substrate = opened
        if running { service = Task { try await opened.run() } }
    }

    /// The agent is gone; what runs goes on.
    func close() async throws {
        service?.cancel()
        try await service?.value
        service = nil
        substrate = nil
    }

    func reopen(running: Bool = true) async throws {
        try await close()
        try open(running: running)
    }

    private func end() async throws {
        if substrate == nil { try open(running: false) }
        for directory in try directories() {
            guard let record = directory.processRecord else { continue }
            // The command goes with its shim.
            if record.shim.isAlive { kill(record.shim.processID, SIGKILL) }
        }
        for allocation in try parts().map(\.key.allocation) {
            try await eventually("part \(allocation) is gone") {
                LeftoverProcesses.kill(allocation, record: nil, groups: [], bootID: "")
            }
        }
        if let bounds = substrate?.bounds {
            for allocation in try parts().map(\.key.allocation) { bounds.remove(allocation) }
        }
        try await close()
    }

    // MARK: What tests do

    var layout: ProcessLayout { ProcessLayout(root: root + "/substrate") }

    func start(
        _ number: Int, _ command: [String]? = nil, env: [String: String]? = nil,
        workingDirectory: String? = nil, image: ImageSpec? = nil, stop: StopRequest? = nil,
        onPartition: PartitionPolicy = .keep
    ) throws {
        var order = directive(number, onPartition: onPartition)
        order.task = PartTask(
            run: command.map { RunSpec(command: $0, env: env, workingDirectory: workingDirectory) },
            image: image, stop: stop)
        try require().start(PartStart(key: key(Self.name, number), directive: order))
    }

    func shell(_ number: Int, _ script: String, onPartition: PartitionPolicy = .keep) throws {
        try start(number, ["sh", "-c", script], onPartition: onPartition)
    }

    func stop(_ number: Int) throws { try require().stop(key(Self.name, number)) }

    func renew(stopAfterSeconds: Double) throws {
        try require().renew(LeaseRenewal(sentAt: clock.now(), stopAfterSeconds: stopAfterSeconds))
    }

    func require() throws -> ProcessSubstrate { try #require(substrate) }

    // MARK: What tests look at

    func directory(_ number: Int) -> PartDirectory { PartDirectory(path: layout.part(id(number))) }

    func directories() throws -> [PartDirectory] {
        try layout.partDirectories().map { PartDirectory(path: $0.path) }
    }

    func parts() throws -> [RuntimePart] { try require().parts() }

    func state(_ number: Int) throws -> RuntimeState? {
        try parts().first { $0.key.allocation == id(number) }?.state
    }

    func runs(_ number: Int) async throws {
        try await eventually("part \(number) runs") { try self.state(number) == .running }
    }

    func ends(_ number: Int, within limit: Duration = patience) async throws -> PartEnd {
        try await eventually("part \(number) ends", within: limit) {
            if case .ended(let end) = try self.state(number) { end } else { nil }
        }
    }

    func process(_ number: Int) throws -> ProcessRecord { try #require(directory(number).processRecord) }

    func output(_ number: Int) throws -> String { try pieces(number).joined() }

    /// What is kept of the output, oldest first.
    func pieces(_ number: Int) throws -> [String] {
        let path = directory(number).path
        return try FileManager.default.contentsOfDirectory(atPath: path)
            .filter { $0.hasPrefix(PartFiles.outputPrefix) }.sorted()
            .map { try String(contentsOfFile: "\(path)/\($0)", encoding: .utf8) }
    }

    func records() throws -> [RunRecord] { try RunJournal.records(in: root) }

    private static func shim() throws -> String {
        let folders = [Bundle.main.bundleURL, URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])]
            .flatMap { [$0, $0.deletingLastPathComponent()] }
        let candidates = folders.map { $0.appending(path: "basalt-shim").path }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0) },
            "no basalt-shim beside the tests")
    }
}

/// A bound for waits that end much sooner, however busy the machine is.
let patience = Duration.seconds(120)

/// Asks again until the probe gives a value.
func eventually<Value>(
    _ what: String, within limit: Duration = patience, _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await probe() { return value }
        try #require(ContinuousClock.now < deadline, "not within \(limit): \(what)")
        try await Task.sleep(for: .milliseconds(10))
    }
}

func eventually(
    _ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what, within: limit) { try await condition() ? true : nil }
}
