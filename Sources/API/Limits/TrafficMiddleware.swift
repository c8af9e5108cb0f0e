internal import APITypes
internal import HTTPTypes
internal import Hummingbird

/// The first look at a request, before anybody is asked who sent it: its head is small and its address does
/// not flood.
struct TrafficMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let limiter: RateLimiter

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        try limiter.admit(address: context.address)
        guard request.head.path?.utf8.count ?? 0 <= RequestLimit.targetBytes else {
            throw Problem(
                .targetTooLong, detail: "path and query are above \(RequestLimit.targetBytes) bytes")
        }
        let bytes = request.headers.reduce(0) { $0 + $1.name.canonicalName.utf8.count + $1.value.utf8.count }
        guard request.headers.count <= RequestLimit.headers, bytes <= RequestLimit.headerBytes else {
            throw Problem(
                .headersTooLarge,
                detail:
                    "a request has at most \(RequestLimit.headers) headers of \(RequestLimit.headerBytes) bytes in all"
            )
        }
        return try await next(request, context)
    }
}
