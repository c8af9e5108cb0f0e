internal import AgentProtocol
internal import APITypes
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Store

/// Turns every error into problem+json, and logs each request once. What an unknown error says stays in the
/// log.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = APIContext

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        var context = context
        do {
            try Self.takeRequestID(request, &context)
            response = try await next(request, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            var problem = Self.problem(error, request: request)
            problem.requestId = context.requestID
            if problem.code == .internalError {
                context.logger.error(
                    "request failed",
                    metadata: [
                        "code": "\((error as? StoreError)?.code ?? "unknown")", "error": "\(error)",
                        "method": "\(request.method)", "path": "\(request.uri.path)",
                    ])
            }
            response = JSONAnswer.response(
                try JSONAnswer.text(problem), status: .init(code: problem.status),
                headers: Self.headers(error, problem), type: "application/problem+json")
        }
        response.headers[Self.requestIDName] = context.requestID
        return response
    }

    private static let requestIDName: HTTPField.Name = .requestID

    /// The client's own id, so that its log and ours speak of one request.
    private static func takeRequestID(_ request: Request, _ context: inout APIContext) throws {
        guard let given = request.headers[.requestID] else { return }
        let isPlain = given.utf8.allSatisfy { byte in
            let isAlphanumeric =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            return isAlphanumeric || "-_.".utf8.contains(byte)
        }
        guard isPlain, (1...RequestLimit.requestIDLength).contains(given.utf8.count) else {
            throw Problem(
                .malformedRequest,
                detail:
                    "X-Request-Id has 1 to \(RequestLimit.requestIDLength) letters, digits, '-', '_' and '.'")
        }
        context.requestID = given
        context.logger[metadataKey: "request.id"] = .string(given)
    }

    private static func headers(_ error: any Error, _ problem: Problem) -> HTTPFields {
        switch error {
        case let error as RateExceeded: [.retryAfter: String(error.retryAfterSeconds)]
        case let error as WrongMethod: [.allow: error.header]
        default: problem.status == 503 ? [.retryAfter: "1"] : [:]
        }
    }

    static func problem(_ error: any Error, request: Request) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as StoreError: problem(error)
        case let error as RateExceeded: error.problem
        case is WrongMethod:
            Problem(
                .methodNotAllowed, detail: "\(request.uri.path.prefix(200)) does not take \(request.method)")
        case ControlPlaneError.superseded:
            Problem(.sessionSuperseded, detail: "another process of this agent said hello after this one")
        case ControlPlaneError.refused(_, let message): Problem(.tooLarge, detail: message)
        case let error as HTTPError where error.status == .notFound:
            Problem(.unknownPath, detail: "there is nothing at \(request.uri.path.prefix(200))")
        case let error as HTTPError where error.status == .contentTooLarge:
            Problem(.tooLarge, detail: "the body is above the limit of this path")
        case is NIOTooManyBytesError:
            Problem(.tooLarge, detail: "the body is above the limit of this path")
        case let error as HTTPError where error.status.code < 500:
            Problem(.malformedRequest, detail: error.body ?? "the request cannot be read")
        default:
            Problem(
                .internalError, detail: "the server met a state it does not know; the request id finds it")
        }
    }

    private static func problem(_ error: StoreError) -> Problem {
        switch error {
        case .notFound(let kind, let name):
            Problem(.notFound, detail: "there is no \(kind.rawValue) \"\(name)\"")
        case .alreadyExists(let kind, let name):
            Problem(.alreadyExists, detail: "\(kind.rawValue) \"\(name)\" exists already")
        case .preconditionFailed(let current):
            Problem(
                .preconditionFailed,
                detail: "the entity tag in force is \"\(current)\"; read the object again")
        case .beingDeleted(let kind, let name):
            Problem(.beingDeleted, detail: "\(kind.rawValue) \"\(name)\" is being deleted")
        case .inUse(let kind, let name, let by):
            Problem(.inUse, detail: "\(kind.rawValue) \"\(name)\" is used by \(by)")
        case .referenceMissing(let field, let kind, let name):
            Problem(
                .invalid, detail: "\(field) names a \(kind.rawValue) that does not exist",
                causes: [
                    FieldDefect(
                        field: field, code: .notFound, message: "there is no \(kind.rawValue) \"\(name)\"")
                ])
        case .idempotencyKeyReused(let key):
            Problem(.idempotencyKeyReused, detail: "the key \"\(key)\" was sent with another body before")
        case .watchExpired:
            Problem(.watchExpired, detail: "list again and watch from the list's resourceVersion")
        case .sessionSuperseded(let current):
            Problem(.sessionSuperseded, detail: "incarnation \(current) of this agent is in charge")
        case .unauthorized(let detail): Problem(.unauthenticated, detail: detail)
        case .unavailable: Problem(.unavailable, detail: "the database does not answer; nothing was written")
        case .outcomeUnknown:
            Problem(
                .unavailable,
                detail: "the connection to the database broke; the request may have taken effect")
        case .leaseLost, .planParentStale, .planAlreadyApplied:
            Problem(.unavailable, detail: "the cell changed its controller; repeat the request")
        case .corrupt:
            Problem(
                .internalError, detail: "the server met a state it does not know; the request id finds it")
        }
    }
}

extension HTTPField.Name {
    /// `X-Request-Id`; the literal is a valid name, so the fallback is never taken.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .server
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .server
}
