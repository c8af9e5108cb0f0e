internal import AgentProtocol
internal import APITypes
internal import Crypto
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Store

/// Performs a verb with an `Idempotency-Key` once: a repeat is answered what the first call was answered.
///
/// The key is claimed before the verb and its answer kept after it. Should the server die in between, the
/// claim is taken over once it is stale, and the verb performed again: every verb brings about a state and
/// finds it there the second time. A refused request gives its key back.
struct IdempotencyMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let store: any Store

    /// After this a claim without an answer is stale: longer than any verb, which is a handful of statements
    /// of at most ten seconds each.
    static let patience = Duration.seconds(90)

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let rule = context.rule(for: request), rule.replay == .answer || rule.replay == .withheld,
            request.headers[.idempotencyKey] != nil, let actor = context.caller?.actor
        else { return try await next(request, context) }
        var request = request
        let body = try await request.collectBody(upTo: rule.bodyLimit)
        // A trial spends no key, but does not take a malformed one either.
        guard let key = try IdempotencyKey(request, body: body), try !DocumentRoutes.isDryRun(request) else {
            return try await next(request, context)
        }
        switch try await store.claim(key, actor: actor, patience: Self.patience) {
        case .running:
            throw Problem(
                .idempotencyInProgress,
                detail: "a request with the key \"\(key.key)\" is being performed; repeat this one")
        case .answered(let answer): return try Self.replay(answer)
        case .perform(let claim):
            let keeper = AnswerKeeper(
                store: store, key: key, actor: actor, claim: claim, isWithheld: rule.replay == .withheld)
            return try await keeper.perform(logger: context.logger) { try await next(request, context) }
        }
    }

    private static func replay(_ answer: KeptAnswer) throws -> Response {
        guard let body = answer.body else {
            throw Problem(
                .idempotencyAnswerWithheld,
                detail:
                    "the first call with this key was performed; its answer held a secret, which is told once"
            )
        }
        var headers: HTTPFields = [:]
        for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        headers[.replayed] = "true"
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}

/// Performs a claimed request, and says what came of it.
private struct AnswerKeeper {
    var store: any Store
    var key: IdempotencyKey
    var actor: String
    var claim: Int
    /// Whether the answer holds a secret.
    var isWithheld: Bool

    func perform(logger: Logger, _ verb: () async throws -> Response) async throws -> Response {
        let response: Response
        do {
            response = try await verb()
        } catch {
            await told(logger) { try await store.giveBack(key, actor: actor, claim: claim) }
            throw error
        }
        let collected = CollectedBody()
        try await response.body.write(collected)
        let body = collected.text
        let answer = KeptAnswer(
            status: response.status.code,
            headers: Dictionary(
                response.headers.map { ($0.name.canonicalName, $0.value) }, uniquingKeysWith: { $1 }),
            body: isWithheld ? nil : body)
        await told(logger) { try await store.keep(answer, of: key, actor: actor, claim: claim) }
        var kept = response
        kept.body = .init(byteBuffer: ByteBuffer(string: body))
        return kept
    }

    /// The verb is done or refused, whatever becomes of its key: a stale claim is taken over.
    private func told(_ logger: Logger, _ write: () async throws -> Void) async {
        do { try await write() } catch {
            logger.warning(
                "the answer of an idempotency key is not kept", metadata: ["error": "\(error)"])
        }
    }
}

extension IdempotencyKey {
    /// The key of a request; nil when it has none.
    ///
    /// - Throws: `Problem` when the header is no key.
    init?(_ request: Request, body: ByteBuffer) throws {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        let isPrintable = key.utf8.allSatisfy { (33...126).contains($0) }
        guard isPrintable, (1...RequestLimit.keyLength).contains(key.utf8.count) else {
            throw Problem(
                .malformedRequest,
                detail: "Idempotency-Key has 1 to \(RequestLimit.keyLength) printable characters of ASCII")
        }
        var hash = SHA256()
        hash.update(data: Array("\(request.method) \(request.uri.path)\n".utf8))
        hash.update(data: Data(body.readableBytesView))
        self.init(key: key, requestHash: hash.finalize().hexadecimal)
    }
}

/// Takes the body of an answer. A class, because writing consumes the writer.
private final class CollectedBody: ResponseBodyWriter {
    private var buffer = ByteBuffer()

    var text: String { String(buffer: buffer) }

    func write(_ buffer: ByteBuffer) { self.buffer.writeImmutableBuffer(buffer) }
    func finish(_ trailingHeaders: HTTPFields?) {}
}
