/// The closed catalogue of problems. One row each: HTTP status, exit code of the CLI, whether repeating the
/// same request may help.
public enum ProblemCode: String, Sendable, Hashable, Codable, CaseIterable {
    case malformedRequest = "request.malformed"
    case unknownParameter = "request.unknown_parameter"
    case tooLarge = "request.too_large"
    case targetTooLong = "request.target_too_long"
    case headersTooLarge = "request.headers_too_large"
    case unsupportedMediaType = "request.unsupported_media_type"
    case rateLimited = "request.rate_limited"
    case unauthenticated = "auth.unauthenticated"
    case forbidden = "auth.forbidden"
    case notFound = "resource.not_found"
    case unknownPath = "request.unknown_path"
    case methodNotAllowed = "request.method_not_allowed"
    case alreadyExists = "resource.already_exists"
    case inUse = "resource.in_use"
    case beingDeleted = "resource.being_deleted"
    case invalid = "resource.invalid"
    case preconditionRequired = "precondition.required"
    case preconditionFailed = "precondition.failed"
    case idempotencyKeyReused = "idempotency.key_reused"
    case idempotencyInProgress = "idempotency.in_progress"
    case idempotencyAnswerWithheld = "idempotency.answer_withheld"
    case watchExpired = "watch.expired"
    case quotaExceeded = "quota.exceeded"
    case capacityExhausted = "capacity.exhausted"
    case sessionSuperseded = "session.superseded"
    case hostClaimed = "host.claimed"
    case guardRefused = "guard.refused"
    case unavailable = "server.unavailable"
    case internalError = "server.internal"

    public struct Entry: Sendable, Hashable {
        public var status: Int
        public var title: String
        public var retryable: Bool
        public var exitCode: Int
    }

    public var entry: Entry {
        switch self {
        case .malformedRequest:
            Entry(status: 400, title: "The request is malformed", retryable: false, exitCode: 1)
        case .unknownParameter:
            Entry(
                status: 400, title: "A parameter of the request is not known", retryable: false, exitCode: 1)
        case .tooLarge: Entry(status: 413, title: "The request is too large", retryable: false, exitCode: 1)
        case .targetTooLong:
            Entry(status: 414, title: "The address is too long", retryable: false, exitCode: 1)
        case .headersTooLarge:
            Entry(status: 431, title: "The headers are too large", retryable: false, exitCode: 1)
        case .unsupportedMediaType:
            Entry(status: 415, title: "The body has another type", retryable: false, exitCode: 1)
        case .rateLimited: Entry(status: 429, title: "Too many requests", retryable: true, exitCode: 1)
        case .unauthenticated: Entry(status: 401, title: "Who are you?", retryable: false, exitCode: 1)
        case .forbidden: Entry(status: 403, title: "Not allowed", retryable: false, exitCode: 1)
        case .notFound: Entry(status: 404, title: "No such object", retryable: false, exitCode: 1)
        case .unknownPath: Entry(status: 404, title: "No such path", retryable: false, exitCode: 1)
        case .methodNotAllowed:
            Entry(status: 405, title: "The path does not take this method", retryable: false, exitCode: 1)
        case .alreadyExists: Entry(status: 409, title: "The name is taken", retryable: false, exitCode: 1)
        case .inUse:
            Entry(status: 409, title: "Something depends on the object", retryable: false, exitCode: 5)
        case .beingDeleted:
            Entry(status: 409, title: "The object is being deleted", retryable: false, exitCode: 1)
        case .invalid: Entry(status: 422, title: "The object is not valid", retryable: false, exitCode: 1)
        case .preconditionRequired:
            Entry(status: 428, title: "If-Match is required", retryable: false, exitCode: 4)
        case .preconditionFailed:
            Entry(status: 412, title: "The object has changed", retryable: false, exitCode: 4)
        case .idempotencyKeyReused:
            Entry(status: 422, title: "The key was used for another request", retryable: false, exitCode: 1)
        case .idempotencyInProgress:
            Entry(status: 409, title: "A request with this key is running", retryable: true, exitCode: 1)
        case .idempotencyAnswerWithheld:
            Entry(
                status: 409, title: "The answer was told once, to the first call", retryable: false,
                exitCode: 1)
        case .watchExpired: Entry(status: 410, title: "The version is too old", retryable: false, exitCode: 1)
        case .quotaExceeded:
            Entry(status: 403, title: "The project's quota is used up", retryable: true, exitCode: 5)
        case .capacityExhausted:
            Entry(status: 507, title: "No host can take it now", retryable: true, exitCode: 1)
        case .sessionSuperseded:
            Entry(
                status: 409, title: "Another agent process took the session over", retryable: false,
                exitCode: 1)
        case .hostClaimed:
            Entry(status: 409, title: "Another session holds the host", retryable: true, exitCode: 1)
        case .guardRefused: Entry(status: 409, title: "A safety guard refused", retryable: false, exitCode: 5)
        case .unavailable: Entry(status: 503, title: "Not available now", retryable: true, exitCode: 1)
        case .internalError: Entry(status: 500, title: "A bug of the server", retryable: false, exitCode: 1)
        }
    }
}
