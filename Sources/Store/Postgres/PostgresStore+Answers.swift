internal import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func claim(_ key: IdempotencyKey, actor: String, patience: Duration) async throws -> RequestClaim {
        let rows = try await write(
            Self.claimStatement, [key.key, key.requestHash, actor, patience.interval])
        guard let row = rows.first else { return .running }
        if let claim = try row.decode("o_claim", as: Int?.self) { return .perform(claim: claim) }
        let answer: String = try row.decode("o_answer")
        return .answered(try JSONDecoder().decode(KeptAnswer.self, from: Data(answer.utf8)))
    }

    public func keep(_ answer: KeptAnswer, of key: IdempotencyKey, actor: String, claim: Int) async throws {
        let text = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
        _ = try await write(Self.keepStatement, [actor, key.key, claim, text])
    }

    public func giveBack(_ key: IdempotencyKey, actor: String, claim: Int) async throws {
        _ = try await write(Self.giveBackStatement, [actor, key.key, claim])
    }

    private static let claimStatement = Statement(
        name: "request_claim",
        sql: "SELECT o_claim, o_answer FROM request_claim_1($1, $2, $3, $4::text::interval)")
    private static let keepStatement = Statement(
        name: "request_keep",
        sql: """
            UPDATE idempotency SET answer = $4
            WHERE actor = $1 AND key = $2 AND claim = $3 AND answer IS NULL
            """)
    private static let giveBackStatement = Statement(
        name: "request_give_back",
        sql: "DELETE FROM idempotency WHERE actor = $1 AND key = $2 AND claim = $3 AND answer IS NULL")
}
