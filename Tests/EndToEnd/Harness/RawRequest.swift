import APITypes
import AsyncHTTPClient
import Client
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

/// A request as a careless or hostile client would send it.
struct RawRequest {
    var method: HTTPMethod = .POST
    var path: String
    var body: Data?
    var headers: [(String, String)] = []
    /// The admin's when nil.
    var token: String?
}

struct RawAnswer {
    var status: Int
    var problem: Problem?
    var text: String
}

extension Deployment {
    /// Sends requests one after another over one client.
    func send(_ requests: [RawRequest]) async throws -> [RawAnswer] {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(authority)
        let http = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(tlsConfiguration: tls)
        )
        var answers: [RawAnswer] = []
        do {
            for request in requests { answers.append(try await send(request, over: http)) }
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
        return answers
    }

    private func send(_ raw: RawRequest, over http: HTTPClient) async throws -> RawAnswer {
        let server = try #require(addresses.split(separator: ",").first)
        var request = HTTPClientRequest(url: server + raw.path)
        request.method = raw.method
        request.headers.add(name: "authorization", value: "Bearer \(try raw.token ?? token())")
        for (name, value) in raw.headers { request.headers.add(name: name, value: value) }
        if let body = raw.body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await http.execute(request, timeout: .seconds(30))
        let data = Data(try await response.body.collect(upTo: 1 << 22).readableBytesView)
        let problem = response.status.code < 400 ? nil : try JSONDecoder().decode(Problem.self, from: data)
        return RawAnswer(
            status: Int(response.status.code), problem: problem, text: String(decoding: data, as: UTF8.self))
    }
}
