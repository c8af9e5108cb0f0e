import Fleet

extension MemoryState {
    /// - Throws: `idempotencyKeyReused`.
    mutating func claim(_ key: IdempotencyKey, actor: String, patience: Duration) throws -> RequestClaim {
        let request = RequestKey(actor: actor, key: key.key)
        guard let earlier = requests[request] else {
            requests[request] = RequestRow(requestHash: key.requestHash, outcome: .claimed(1), at: now)
            return .perform(claim: 1)
        }
        guard earlier.requestHash == key.requestHash else {
            throw StoreError.idempotencyKeyReused(key.key)
        }
        switch earlier.outcome {
        case .answered(let answer): return .answered(answer)
        case .claimed(let number) where earlier.at.advanced(by: patience) <= now:
            requests[request] = RequestRow(
                requestHash: key.requestHash, outcome: .claimed(number + 1), at: now)
            return .perform(claim: number + 1)
        case .claimed, .created: return .running
        }
    }

    mutating func keep(_ answer: KeptAnswer, of key: IdempotencyKey, actor: String, claim: Int) {
        let request = RequestKey(actor: actor, key: key.key)
        guard case .claimed(claim) = requests[request]?.outcome else { return }
        requests[request]?.outcome = .answered(answer)
    }

    mutating func giveBack(_ key: IdempotencyKey, actor: String, claim: Int) {
        let request = RequestKey(actor: actor, key: key.key)
        guard case .claimed(claim) = requests[request]?.outcome else { return }
        requests[request] = nil
    }
}
