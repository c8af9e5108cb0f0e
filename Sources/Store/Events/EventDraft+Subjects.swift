package import AgentProtocol
package import Fleet

/// The events that a store writes of itself. Both stores make them here, so that they say the same.
extension EventDraft {
    package static func about(
        _ resource: Resource, _ reason: Reason, _ message: String, source: String
    ) -> EventDraft {
        EventDraft(
            kind: resource.kind, project: resource.metadata.project, name: resource.metadata.name,
            uid: resource.metadata.uid, reason: reason, message: message, source: source)
    }

    package static func about(
        _ workload: WorkloadReference, _ reason: Reason, _ message: String, source: String
    ) -> EventDraft {
        EventDraft(
            kind: workload.kind, project: workload.project, name: workload.name, uid: workload.uid,
            reason: reason, message: message, source: source)
    }

    package static func aboutHost(
        _ host: HostRecord, _ reason: Reason, _ message: String, source: String
    ) -> EventDraft {
        EventDraft(
            kind: .host, project: nil, name: host.name, uid: host.id, reason: reason, message: message,
            source: source)
    }

    /// What a host lease's judgement says of a transition.
    package static func contact(_ contact: HostContact, of host: HostRecord) -> EventDraft {
        aboutHost(host, contact.eventReason, contact.sentence, source: EventSource.hosts)
    }
}

/// Sources of events that no user or agent caused.
package enum EventSource {
    /// Judgement of host leases.
    package static let hosts = "hosts"
    /// Pulse of the controllers.
    package static let control = "control"
    /// What only an operator does, such as raising the epoch.
    package static let operators = "operator"

    package static func agent(_ session: ID<AgentSession>) -> String { "agent/\(session)" }
}
