internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore

/// The API without a network, for whoever lives in the server's own process: the same routes behind the same
/// middlewares, so that what is asked here is authenticated, authorised, validated and audited alike.
package struct LocalAPI: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var text: String
        /// As `If-Match` takes it.
        package var entityTag: String?
    }

    private let responder: RouterResponder<APIContext>
    private let logger: Logger

    package init(_ server: APIServer, logger: Logger) {
        responder = server.router().buildResponder()
        self.logger = logger
    }

    /// As tokens are kept.
    package static func hash(_ secret: String) -> String { Authenticator.hash(secret) }

    /// - Parameters:
    ///   - token: bearer token of the caller.
    ///   - body: JSON.
    /// - Throws: `CancellationError`; what the API refuses is an answer.
    package func send(
        _ method: String, _ path: String, token: String, body: String? = nil, ifMatch: String? = nil
    ) async throws -> Answer {
        var headers: HTTPFields = [.authorization: "Bearer \(token)"]
        headers[.ifMatch] = ifMatch
        let request = Request(
            head: HTTPRequest(
                method: HTTPRequest.Method(rawValue: method) ?? .get, scheme: nil, authority: nil, path: path,
                headerFields: headers), body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let context = APIContext(local: logger)
        let response = try await responder.respond(to: request, context: context)
        let collected = Collected()
        try await response.body.write(Collector(collected: collected))
        return Answer(
            status: Int(response.status.code), text: String(buffer: collected.buffer),
            entityTag: response.headers[.eTag])
    }

    private final class Collected { var buffer = ByteBuffer() }

    private struct Collector: ResponseBodyWriter {
        let collected: Collected

        mutating func write(_ buffer: ByteBuffer) async throws {
            collected.buffer.writeImmutableBuffer(buffer)
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}

extension APIContext {
    private struct LocalSource: RequestContextSource { var logger: Logger }

    /// Of a caller in this process.
    init(local logger: Logger) {
        coreContext = .init(source: LocalSource(logger: logger))
        requestID = ""
        address = "local"
    }
}
