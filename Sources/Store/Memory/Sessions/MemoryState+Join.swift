import AgentProtocol
import Fleet

extension MemoryState {
    mutating func createJoinToken(_ token: JoinToken, context: WriteContext) throws {
        guard joinTokens[token.secretHash] == nil else {
            throw StoreError.alreadyExists(kind: .token, name: token.hostPattern)
        }
        for (field, kind, name) in [("cell", Kind.cell, token.cell), ("pool", .pool, token.pool)]
        where !isKept(DocumentName(kind, name)) {
            throw StoreError.referenceMissing(field: field, kind: kind, name: name)
        }
        joinTokens[token.secretHash] = JoinTokenRow(
            token: token, expiresAt: now.advanced(by: token.lifetime))
        writeAudit(context, kind: .token, name: token.hostPattern)
    }

    mutating func join(_ request: JoinSpending) throws -> ID<AgentSession> {
        guard var row = joinTokens[request.tokenHash] else {
            throw StoreError.unauthorized("the join token is not known")
        }
        guard !row.isSpent else { throw StoreError.unauthorized("the join token was spent") }
        guard now < row.expiresAt else { throw StoreError.unauthorized("the join token expired") }
        let pattern = row.token.hostPattern
        if let stranger = request.hosts.first(where: { !JoinToken.covers(pattern, host: $0) }) {
            throw StoreError.unauthorized("the join token covers \(pattern), not \(stranger)")
        }
        guard sessions[request.session] == nil, sessionOfCredential[request.credentialHash] == nil else {
            throw StoreError.unauthorized("the session exists")
        }
        row.isSpent = true
        joinTokens[request.tokenHash] = row
        let record = SessionRecord(
            id: request.session, name: request.name, cell: row.token.cell, pool: row.token.pool,
            hostPattern: pattern, incarnation: 0, epoch: 1, renewedAt: nil)
        sessions[record.id] = SessionRow(
            record: record, substrate: request.substrate, credentialHash: request.credentialHash)
        sessionOfCredential[request.credentialHash] = record.id
        let context = WriteContext(actor: EventSource.agent(record.id), verb: "join")
        writeAudit(context, kind: .token, name: request.name)
        return record.id
    }
}
