/// Answers to requests that came with an idempotency key, so that a repeat is answered and not performed.
///
/// The keys are those of `DocumentStore.create(_:key:context:)`: an actor spends each on one request. They
/// are forgotten by `keepHouse`, answered or not.
public protocol AnswerStore: Sendable {
    /// Claims a key for a request that is about to be performed, or tells what became of it.
    ///
    /// - Parameter patience: a claim without an answer that is older is taken over: whoever had it is gone.
    /// - Throws: `idempotencyKeyReused`.
    func claim(_ key: IdempotencyKey, actor: String, patience: Duration) async throws -> RequestClaim

    /// Keeps the answer of the request that was performed under a claim. Without effect when the claim was
    /// taken over.
    func keep(_ answer: KeptAnswer, of key: IdempotencyKey, actor: String, claim: Int) async throws

    /// Gives a key back whose request was refused: it is not spent. Without effect when the claim was taken
    /// over.
    func giveBack(_ key: IdempotencyKey, actor: String, claim: Int) async throws
}

/// What to do with a request that has an idempotency key.
public enum RequestClaim: Sendable, Hashable {
    /// Nobody performs it: the caller does, and says under this number what came of it.
    case perform(claim: Int)
    /// Another call performs it now.
    case running
    case answered(KeptAnswer)
}

/// The answer to a request, as repeats get it.
public struct KeptAnswer: Sendable, Hashable, Codable {
    /// HTTP status.
    public var status: Int
    /// By name.
    public var headers: [String: String]
    /// nil where the answer held a secret, which is kept nowhere.
    public var body: String?

    public init(status: Int, headers: [String: String], body: String?) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
