internal import Foundation
internal import NIOHTTP1

/// Why the router answers a request itself; told in the shape in which OpenAI's API tells errors.
enum RouterError: Error, Equatable {
    case badPath
    case badMethod
    case bodyTooLarge(limit: Int)
    case tooSlow
    case noRoutes
    /// Every replica has as many requests as it takes at once.
    case replicasBusy
    /// The router has as many requests as it takes at once.
    case routerBusy
    case tooManyConnections
    case stopping
    /// No replica that was tried could be reached, or each broke off before it answered.
    case replicasFailed
    case replicaSilent

    var status: HTTPResponseStatus {
        switch self {
        case .badPath: .notFound
        case .badMethod: .methodNotAllowed
        case .bodyTooLarge: .payloadTooLarge
        case .tooSlow: .requestTimeout
        case .noRoutes, .tooManyConnections, .stopping: .serviceUnavailable
        case .replicasBusy, .routerBusy: .tooManyRequests
        case .replicasFailed: .badGateway
        case .replicaSilent: .gatewayTimeout
        }
    }

    /// Closed; callers and metrics go by it.
    var code: String {
        switch self {
        case .badPath: "unknown_url"
        case .badMethod: "method_not_supported"
        case .bodyTooLarge: "body_too_large"
        case .tooSlow: "request_too_slow"
        case .noRoutes: "no_routes"
        case .replicasBusy: "replicas_busy"
        case .routerBusy: "router_busy"
        case .tooManyConnections: "too_many_connections"
        case .stopping: "router_stopping"
        case .replicasFailed: "replicas_failed"
        case .replicaSilent: "replica_silent"
        }
    }

    var message: String {
        switch self {
        case .badPath: "Unknown URL. There are the paths under /v1/ of the engines."
        case .badMethod: "Only GET and POST are supported here."
        case .bodyTooLarge(let limit): "The body of the request is larger than \(limit) bytes."
        case .tooSlow: "The request did not arrive in time."
        case .noRoutes: "No replica serves this model now. Try again later."
        case .replicasBusy: "All replicas are busy. Try again later."
        case .routerBusy: "Too many requests are under way. Try again later."
        case .tooManyConnections: "Too many connections are open. Try again later."
        case .stopping: "This router is about to stop. Try another one."
        case .replicasFailed: "The replicas that were tried could not be reached."
        case .replicaSilent: "The replica did not answer in time."
        }
    }

    private var type: String {
        switch status.code {
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "server_error"
        }
    }

    /// Seconds after which it may be tried again; nil where that would change nothing.
    var retryAfter: Int? { [429, 503].contains(status.code) ? 1 : nil }

    /// Whether more of the request may still come, so that the connection is of no use.
    var endsConnection: Bool {
        switch self {
        case .bodyTooLarge, .tooSlow, .tooManyConnections, .stopping: true
        default: false
        }
    }

    private struct Body: Encodable {
        struct Content: Encodable {
            var message: String
            var type: String
            /// Always null, as where OpenAI's API has no parameter to name.
            var param: String?
            var code: String

            private enum CodingKeys: String, CodingKey { case message, type, param, code }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(message, forKey: .message)
                try container.encode(type, forKey: .type)
                try container.encodeNil(forKey: .param)
                try container.encode(code, forKey: .code)
            }
        }

        var error: Content
    }

    /// As JSON.
    var body: String { json(Body(error: .init(message: message, type: type, code: code))) }
}

/// Text of values that always have one.
func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch { return "{}" }
}
