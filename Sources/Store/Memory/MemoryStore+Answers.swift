extension MemoryStore {
    public func claim(_ key: IdempotencyKey, actor: String, patience: Duration) async throws -> RequestClaim {
        try write { try $0.claim(key, actor: actor, patience: patience) }
    }

    public func keep(_ answer: KeptAnswer, of key: IdempotencyKey, actor: String, claim: Int) async throws {
        write { $0.keep(answer, of: key, actor: actor, claim: claim) }
    }

    public func giveBack(_ key: IdempotencyKey, actor: String, claim: Int) async throws {
        write { $0.giveBack(key, actor: actor, claim: claim) }
    }
}
