package import Fleet

/// What an edit of a document comes to. Both stores find it out here.
package struct DocumentUpdate: Sendable {
    package var specChanged: Bool
    package var metadataChanged: Bool
    /// The document as it was, with the edited spec, labels, annotations and finalizers.
    package var after: Resource
    package var event: EventDraft

    package var isChange: Bool { specChanged || metadataChanged }

    /// - Parameter wanted: what the edit left; of its other members nothing is taken.
    /// - Throws: `StoreError.corrupt` when a spec is not of its kind's shape.
    package init(before: Resource, wanted: Resource, context: WriteContext) throws {
        let (old, new) = (try JSONContent(before.spec), try JSONContent(wanted.spec))
        specChanged = old != new
        metadataChanged =
            wanted.metadata.labels != before.metadata.labels
            || wanted.metadata.annotations != before.metadata.annotations
            || wanted.metadata.finalizers != before.metadata.finalizers
        after = before
        after.metadata.labels = wanted.metadata.labels
        after.metadata.annotations = wanted.metadata.annotations
        after.metadata.finalizers = wanted.metadata.finalizers
        if specChanged {
            after.spec = wanted.spec
            try DocumentTypes.check(before.kind, name: before.metadata.name, spec: wanted.spec)
        }
        let reason = Reason.ofUpdate(kind: before.kind, before: old, after: new)
        let why = new["cordonReason"]?.text.map { ": \($0)" } ?? ""
        event = .about(before, reason, "updated by \(context.actor)\(why)", source: context.actor)
    }
}

/// The kinds whose spec the ledger itself reads must have it in the right shape.
package enum DocumentTypes {
    /// - Throws: `StoreError.corrupt`.
    package static func check(_ kind: Kind, name: String, spec: String) throws {
        switch kind {
        case .host: _ = try DocumentJSON.decode(HostSpec.self, from: spec)
        case .project: _ = try DocumentJSON.decode(ProjectSpec.self, from: spec)
        case .pool:
            let ratio = try JSONContent(spec)["cpuRatioPerMille"]?.integer ?? 1000
            // The ledger divides by it, and below 1000 it would sell less than there is.
            guard ratio >= 1000 else { throw StoreError.corrupt("cpuRatioPerMille \(ratio) of \(name)") }
        case .policy: _ = try oversubscription(in: spec)
        default: break
        }
    }

    /// What a policy of type oversubscription says; nil for policies of other types.
    ///
    /// - Throws: `StoreError.corrupt` when the ledger could not go by it.
    package static func oversubscription(in spec: String) throws -> OversubscriptionRules? {
        guard try JSONContent(spec)["type"]?.text == PolicySpec.Subject.oversubscription.rawValue else {
            return nil
        }
        let policy = try DocumentJSON.decode(PolicySpec.self, from: spec)
        guard policy.defects().isEmpty, let rules = policy.oversubscription else {
            throw StoreError.corrupt("not rules of oversubscription: \(spec.prefix(80))")
        }
        return rules
    }
}

extension DocumentDraft {
    /// - Throws: `StoreError.corrupt`.
    package func checkTypes() throws { try DocumentTypes.check(kind, name: name, spec: spec) }
}
