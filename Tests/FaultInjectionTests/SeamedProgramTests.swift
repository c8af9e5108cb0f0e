import AsyncHTTPClient
import FaultInjection
import FaultLab
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// Trainers and engines that are made to fail by an injector, and are well after it.
@Suite(.serialized)
struct SeamedProgramTests {
    // MARK: Trainer

    private struct Progress: Decodable {
        var step: Int
        var checkpointStep: Int
        var iterationMilliseconds: Double?
    }

    private static func trainer(_ bench: Bench) throws -> URL {
        let progress = bench.directory.appending(path: "progress.json")
        let words = [
            "/usr/bin/env", "BASALT_STEPS=1000000", "BASALT_STEP_SECONDS=0.01",
            "BASALT_CHECKPOINT_DIR=\(bench.directory.appending(path: "checkpoints").path)",
            "BASALT_PROGRESS_FILE=\(progress.path)", try Bench.executable("basalt-trainer"),
            "--checkpoint-every", "10", "--fault-seam", bench.seam,
        ]
        _ = try bench.start(words)
        try bench.write([.init(target: FaultTarget(.job, "j"), seams: [bench.seam])])
        return progress
    }

    private static func read(_ file: URL) throws -> Progress? {
        guard let data = FileManager.default.contents(atPath: file.path) else { return nil }
        return try JSONDecoder().decode(Progress.self, from: data)
    }

    @Test func noCheckpointIsWrittenAndTheJobGoesOn() async throws {
        let bench = try Bench("checkpoint")
        defer { try? bench.end() }
        let file = try Self.trainer(bench)
        try await eventually("checkpoints are written") { (try Self.read(file)?.checkpointStep ?? 0) > 0 }
        #expect(try await bench.inject(.checkpointFailure, FaultTarget(.job, "j")) == 0)
        // One that was under way may still have been written.
        let before: Progress = try await eventually("steps go on") {
            guard let progress = try Self.read(file), progress.step > progress.checkpointStep + 30 else {
                return nil
            }
            return progress
        }
        try await eventually("none is written") {
            let now = try Self.read(file)
            return now?.checkpointStep == before.checkpointStep && (now?.step ?? 0) > before.step + 30
        }
        try await bench.heal()
        try await eventually("they are written again") {
            (try Self.read(file)?.checkpointStep ?? 0) > before.checkpointStep
        }
    }

    @Test func aStragglerMakesEveryStepLate() async throws {
        let bench = try Bench("straggler")
        defer { try? bench.end() }
        let file = try Self.trainer(bench)
        try await eventually("steps are quick") {
            (try Self.read(file)?.iterationMilliseconds ?? 1000) < 250
        }
        let job = FaultTarget(.job, "j")
        #expect(try await bench.inject(.straggler, job, more: ["--delay-seconds", "0.5"]) == 0)
        try await eventually("steps are late") { (try Self.read(file)?.iterationMilliseconds ?? 0) > 400 }
        try await bench.heal()
        let healed = try #require(try Self.read(file)?.step)
        try await eventually("a step is on time again") {
            guard let progress = try Self.read(file), progress.step > healed else { return false }
            return (progress.iterationMilliseconds ?? 1000) < 250
        }
    }

    // MARK: Engine

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound)
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    private static func engine(_ bench: Bench, _ more: [String] = []) async throws -> Int {
        let port = try freePort()
        _ = try bench.start(
            [try Bench.executable("basalt-fake-engine"), "--port", "\(port)"] + more)
        try await eventually("the engine listens") {
            do {
                _ = try await get(port, "/health")
                return true
            } catch { return false }
        }
        return port
    }

    private static func get(_ port: Int, _ path: String) async throws -> String {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"), timeout: .seconds(60))
        return String(buffer: try await answer.body.collect(upTo: 1 << 20))
    }

    /// How long one answer takes.
    private static func complete(_ port: Int, prefiller: Int? = nil) async throws -> Duration {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/completions")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: #"{"prompt":"hello","max_tokens":2}"#))
        if let prefiller {
            request.headers.add(name: "x-prefiller-host-port", value: "127.0.0.1:\(prefiller)")
        }
        let began = ContinuousClock.now
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        _ = try await answer.body.collect(upTo: 1 << 20)
        try #require(answer.status == .ok)
        return ContinuousClock.now - began
    }

    @Test func anEngineWorksForOthersAsWell() async throws {
        let bench = try Bench("overload")
        defer { try? bench.end() }
        let port = try await Self.engine(bench, ["--slots", "8", "--fault-seam", bench.seam])
        try bench.write([.init(target: FaultTarget(.replica, "r"), seams: [bench.seam])])
        try await eventually("answers are quick") { try await Self.complete(port) < .seconds(1) }
        // 200 prompts of 5 ms and more are before each.
        #expect(
            try await bench.inject(.engineOverload, FaultTarget(.replica, "r"), more: ["--count", "200"]) == 0
        )
        #expect(try await Self.complete(port) >= .seconds(1))
        let waiting = #"num_requests_waiting{model_name="fake"} 192"#
        try await eventually("it is told") { try await Self.get(port, "/metrics").contains(waiting) }
        try await bench.heal()
        try await eventually("answers are quick again") { try await Self.complete(port) < .seconds(1) }
    }

    @Test func keysAndValuesArriveLate() async throws {
        let bench = try Bench("handoff")
        defer { try? bench.end() }
        let prefiller = try await Self.engine(bench, ["--role", "prefill"])
        let port = try await Self.engine(bench, ["--role", "decode", "--fault-seam", bench.seam])
        try bench.write([.init(target: FaultTarget(.replica, "r"), seams: [bench.seam])])
        try await eventually("answers are quick") {
            try await Self.complete(port, prefiller: prefiller) < .seconds(1)
        }
        #expect(
            try await bench.inject(
                .kvLinkDegraded, FaultTarget(.replica, "r"), more: ["--delay-seconds", "1.5"])
                == 0)
        #expect(try await Self.complete(port, prefiller: prefiller) >= .seconds(1.5))
        try await bench.heal()
        try await eventually("answers are quick again") {
            try await Self.complete(port, prefiller: prefiller) < .seconds(1)
        }
    }
}
