import APITypes
import AsyncHTTPClient
import Client
import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import Testing

extension Deployment {
    /// Creates a serving deployment whose replicas are engines without a model.
    func createServing(_ name: String, _ spec: ServingDeploymentSpec) async throws {
        _ = try await client().create(
            WireDraft(
                kind: Kind.servingDeployment.rawValue, metadata: .init(name: name), spec: try .encoding(spec)),
            in: Collection(.servingDeployment, project: "shop"))
    }

    func serving(_ name: String) async throws -> ServingDeploymentStatus {
        let document = try await client().get(name, in: Collection(.servingDeployment, project: "shop"))
        return try #require(document.status).decoded()
    }

    /// Starts a router of a deployment and waits until it listens. All of them have one memory.
    func startRouter(_ name: String, of deployment: String) async throws -> RouterProgram {
        let state = directory.appending(path: "routers")
        let program = try start(
            name, "basalt-router",
            [
                "--listen", "127.0.0.1:0", "--server", addresses, "--ca", authority, "--token-file",
                tokenFile,
                "--project", "shop", "--deployment", deployment, "--state-directory", state.path,
            ])
        let port: Int = try await eventually("router \(name) listens") {
            program.log.firstMatch(of: #/routing address="?127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return RouterProgram(program: program, port: port)
    }
}

/// A running router.
struct RouterProgram {
    /// Requests wait for their turn at an engine, not for a connection here.
    private static let client = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let program: ChildProgram
    let port: Int

    /// An answer that is being written.
    struct Stream {
        /// Who writes it.
        let replica: String
        fileprivate let body: HTTPClientResponse.Body

        /// Takes the rest of it, and says whether it came whole.
        func isWhole() async -> Bool {
            guard let bytes = try? await body.collect(upTo: 1 << 20) else { return false }
            return String(buffer: bytes).hasSuffix("data: [DONE]\n\n")
        }
    }

    /// Asks for an answer in pieces, and comes back when the first one is there.
    static func begin(port: Int, tokens: Int) async throws -> Stream {
        let answer = try await client.execute(request(port: port, tokens: tokens), timeout: .seconds(120))
        try #require(answer.status == .ok)
        return Stream(
            replica: try #require(answer.headers.first(name: "x-basalt-replica")), body: answer.body)
    }

    private static func request(port: Int, tokens: Int) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/completions")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(
            ByteBuffer(string: #"{"prompt":"Tell me.","max_tokens":\#(tokens),"stream":true}"#))
        return request
    }

    /// Asks for an answer in pieces and takes all of it.
    ///
    /// - Returns: whether it came whole.
    static func stream(port: Int, tokens: Int) async -> Bool {
        do {
            let answer = try await client.execute(request(port: port, tokens: tokens), timeout: .seconds(60))
            guard answer.status == .ok else { return false }
            let body = try await answer.body.collect(upTo: 1 << 20)
            return String(buffer: body).hasSuffix("data: [DONE]\n\n")
        } catch {
            return false
        }
    }
}
