package import Store

/// An agent session that authenticated with its credential.
package struct AgentCaller: Sendable {
    package var session: SessionRecord

    package init(session: SessionRecord) { self.session = session }
}
