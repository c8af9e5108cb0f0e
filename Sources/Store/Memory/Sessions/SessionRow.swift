import AgentProtocol
import Fleet

/// An agent session with what the protocol does not show.
struct SessionRow {
    var record: SessionRecord
    var substrate: String
    var credentialHash: String
    /// Last acknowledged report of the incarnation.
    var sequence = 0
}

struct JoinTokenRow {
    var token: JoinToken
    var expiresAt: Timestamp
    var isSpent = false
}
