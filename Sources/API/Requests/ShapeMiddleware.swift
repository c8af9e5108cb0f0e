internal import APITypes
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird

/// What every route asks of a request's shape: a path and method that are there, known parameters given once,
/// and a body of the right type that its length does not rule out.
struct ShapeMiddleware: RouterMiddleware {
    typealias Context = APIContext

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let rule = context.rule(for: request) else {
            let methods = RouteTable.methods(at: request.uri.path)
            if !methods.isEmpty, context.endpointPath == nil { throw WrongMethod(allowed: methods) }
            return try await next(request, context)
        }
        try Self.checkQuery(request, rule.query)
        try Self.checkType(request)
        if let length = request.headers[.contentLength].flatMap(Int.init), length > rule.bodyLimit {
            throw Problem(
                .tooLarge, detail: "the body has \(length) bytes; the limit of this path is \(rule.bodyLimit)"
            )
        }
        return try await next(request, context)
    }

    private static func checkQuery(_ request: Request, _ known: [String]) throws {
        var seen: Set<String> = []
        for (key, _) in request.uri.queryParameters {
            let key = String(key)
            guard known.contains(key) else {
                let nearest = NearestChoice.of(String(key.prefix(80)), among: known).map {
                    "; did you mean \"\($0)\"?"
                }
                throw Problem(
                    .unknownParameter,
                    detail: "the parameter \"\(key.prefix(80))\" is not known here\(nearest ?? "")")
            }
            guard seen.insert(key).inserted else {
                throw Problem(.malformedRequest, detail: "the parameter \"\(key)\" is given twice")
            }
        }
    }

    /// A body without a type is taken for JSON, which it has to be anyway.
    private static func checkType(_ request: Request) throws {
        var types = ["application/json"]
        switch request.method {
        case .post, .put: break
        case .patch: types.append("application/merge-patch+json")
        default: return
        }
        guard let given = request.headers[.contentType] else { return }
        let parts = given.split(separator: ";").map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        let parametersAreKnown = parts.dropFirst().allSatisfy {
            $0 == "charset=utf-8" || $0 == "charset=\"utf-8\""
        }
        guard let type = parts.first, types.contains(type), parametersAreKnown else {
            throw Problem(
                .unsupportedMediaType,
                detail: "the body's type is \"\(given.prefix(80))\"; send \(types.joined(separator: " or "))")
        }
    }
}

/// The path is there, for other methods.
struct WrongMethod: Error {
    var allowed: [HTTPRequest.Method]

    var header: String { allowed.map(\.rawValue).joined(separator: ", ") }
}
