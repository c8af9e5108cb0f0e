import AsyncHTTPClient
import FaultLab
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// The evaluation server as a process, beside the tests.
final class Server {
    struct Answer {
        var status: Int
        var text: String

        var object: [String: ActionValue] {
            (try? JSONDecoder().decode([String: ActionValue].self, from: Data(text.utf8))) ?? [:]
        }

        func text(_ path: String...) -> String? {
            var value: ActionValue? = .mapping(object)
            for key in path {
                guard case .mapping(let mapping) = value else { return nil }
                value = mapping[key]
            }
            return value?.asText
        }
    }

    /// The folder of the programs beside the tests.
    static let programs: URL = {
        let places =
            Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
            + [URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()]
        return places.first {
            FileManager.default.isExecutableFile(atPath: $0.appending(path: "basalt-world").path)
        } ?? places[0]
    }()

    let data: URL
    private(set) var address = ""
    /// Everything that was answered since the last `forget`.
    private(set) var heard = ""
    private let process = Process()

    /// - Parameters:
    ///   - data: of a former server; a new folder when nil.
    ///   - token: the operator's.
    ///   - tls: certificate and key in PEM; plain HTTP when nil.
    init(data former: URL? = nil, token: String? = nil, tls: (certificate: URL, key: URL)? = nil) async throws
    {
        data =
            former
            ?? FileManager.default.temporaryDirectory.appending(path: "evaluation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        process.executableURL = Self.programs.appending(path: "basalt-world")
        var arguments = ["serve", "--port", "0", "--data", data.path]
        if let token {
            let file = data.appending(path: "operator")
            try token.write(to: file, atomically: true, encoding: .utf8)
            arguments += ["--token-file", file.path]
        }
        if let tls { arguments += ["--tls-certificate", tls.certificate.path, "--tls-key", tls.key.path] }
        process.arguments = arguments
        let log = data.appending(path: "log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let output = try FileHandle(forWritingTo: log)
        process.standardError = output
        process.standardOutput = output
        try process.run()
        address = try await eventually("the server listens") {
            let text = try String(contentsOf: log, encoding: .utf8)
            guard let range = text.firstRange(of: /127\.0\.0\.1:[0-9]+/) else { return nil }
            return "\(tls == nil ? "http" : "https")://\(text[range])"
        }
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Ends it as a crash does.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func forget() { heard = "" }

    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil, token: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: address + path)
        request.method = .init(rawValue: method)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        let text = String(buffer: try await response.body.collect(upTo: 1 << 26))
        heard += text + "\n" + response.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        return Answer(status: Int(response.status.code), text: text)
    }

    /// Asks for a session and waits until its agent is asked.
    func session(_ body: String, token: String? = nil) async throws -> (id: String, token: String) {
        let created = try await send("POST", "/v1/aiops/sessions", body, token: token)
        try #require(created.status == 201, "\(created.text)")
        let id = try #require(created.text("session", "id"))
        let secret = try #require(created.text("token"))
        let state = try await send("GET", "/v1/aiops/sessions/\(id)?wait=120", token: secret)
        try #require(state.text("state") == "active", "\(state.text)")
        return (id, secret)
    }

    func act(
        _ session: (id: String, token: String), _ name: String, _ arguments: String = "{}"
    ) async throws -> Answer {
        try await send(
            "POST", "/v1/aiops/sessions/\(session.id)/actions",
            #"{"name": "\#(name)", "arguments": \#(arguments)}"#, token: session.token)
    }

    /// Submits for each stage and waits for the end.
    func finish(_ session: (id: String, token: String), _ solutions: [String]) async throws {
        for solution in solutions {
            let answer = try await send(
                "POST", "/v1/aiops/sessions/\(session.id)/submit", solution, token: session.token)
            try #require(answer.status == 202, "\(answer.text)")
        }
        try await eventually("the session is done") {
            try await self.send("GET", "/v1/aiops/sessions/\(session.id)", token: session.token)
                .text("state") == "done" ? true : nil
        }
    }
}

struct TimedOut: Error, CustomStringConvertible { let description: String }

/// Asks again until the probe gives a value, for at most two minutes.
@discardableResult
func eventually<Value>(_ what: String, _ probe: () async throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
        if let value = try await probe() { return value }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw TimedOut(description: "not within two minutes: \(what)")
}
