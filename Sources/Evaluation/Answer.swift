internal import APITypes
internal import FaultLab
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Of the API; problems that are put to agents are `FaultLab.Problem`.
typealias Problem = APITypes.Problem

/// How answers are written: JSON with sorted keys.
enum Answer {
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> Response {
        text(try line(value), status, type: "application/json")
    }

    static func text(_ text: String, _ status: HTTPResponse.Status = .ok, type: String) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Turns every error into problem+json. What an unknown error says stays in the log.
struct FailureMiddleware: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let problem = Self.problem(error, request)
            if problem.code == .internalError {
                context.logger.error("request failed", metadata: ["error": "\(error)"])
            }
            return Answer.text(
                try Answer.line(problem), .init(code: problem.status), type: "application/problem+json")
        }
    }

    private static func problem(_ error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as any HTTPResponseError where error.status == .notFound:
            return Problem(.unknownPath, detail: "There is no \(request.uri.path.prefix(200)).")
        case let error as any HTTPResponseError where error.status == .methodNotAllowed:
            return Problem(
                .methodNotAllowed, detail: "\(request.uri.path.prefix(200)) does not take \(request.method).")
        case let error as any HTTPResponseError where (400..<500).contains(error.status.code):
            return Problem(.malformedRequest, detail: "The request cannot be read.")
        default: return Problem(.internalError, detail: "Something is wrong with this server.")
        }
    }
}
