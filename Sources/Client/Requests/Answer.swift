internal import APITypes
internal import Foundation

/// An answer, read whole.
struct Answer: Sendable {
    var status: Int
    var retryAfter: Duration?
    var body: Data

    var isSuccess: Bool { (200..<300).contains(status) }

    func decoded<Value: Decodable>(_ type: Value.Type) throws(ClientError) -> Value {
        try WireJSON.decode(type, from: body)
    }

    /// The error that a status outside 2xx stands for.
    var failure: ClientError {
        if let problem = WireJSON.recognise(Problem.self, in: body) {
            return .problem(problem)
        }
        let text = excerpt
        switch status {
        case 401: return .problem(Problem(.unauthenticated, detail: text))
        case 403: return .problem(Problem(.forbidden, detail: text))
        case 404: return .problem(Problem(.notFound, detail: text))
        case 410: return .problem(Problem(.watchExpired, detail: text))
        case 412: return .problem(Problem(.preconditionFailed, detail: text))
        case 413: return .problem(Problem(.tooLarge, detail: text))
        case 429: return .problem(Problem(.rateLimited, detail: text))
        case 502, 503, 504: return .problem(Problem(.unavailable, detail: text))
        default: return .unintelligible("HTTP \(status) without a problem: \(text)")
        }
    }

    /// What a status outside 2xx means for repeating the request.
    var attemptFailure: AttemptFailure {
        guard case .problem(let problem) = failure, problem.retryable else { return .final }
        switch problem.code {
        case .unavailable, .rateLimited, .idempotencyInProgress: return .declined(retryAfter: retryAfter)
        // Room, quota and claims change with the fleet, not within the seconds of a retry, unless the server
        // names a time.
        default: return retryAfter.map { .declined(retryAfter: $0) } ?? .final
        }
    }

    /// The start of a body that is no problem: the `detail` of an unknown one, else the first line.
    private var excerpt: String {
        if let detail = WireJSON.recognise(JSONValue.self, in: body)?["detail"]?.string { return detail }
        let line = String(decoding: body.prefix(200), as: UTF8.self).split(separator: "\n").first
        return line.map(String.init) ?? "HTTP \(status)"
    }
}
