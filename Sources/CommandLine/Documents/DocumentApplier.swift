internal import APITypes
internal import Client
internal import Fleet

/// Brings documents of the control plane to what files say, one after another in the order of the files.
struct DocumentApplier {
    enum Outcome: String { case created, configured, unchanged }

    let client: RESTClient
    let connection: Connection
    let projectOption: ProjectOption

    func collection(of source: SourcedDraft) throws -> Collection {
        guard source.kind.isTenant else { return Collection(source.kind) }
        let project = try source.draft.metadata.project ?? projectOption.name(connection)
        return Collection(source.kind, project: project)
    }

    /// Creates or replaces one document. A document that changed since it was read is refused as stale.
    func apply(_ source: SourcedDraft) async throws -> Outcome {
        let collection = try collection(of: source)
        guard let current = try await client.find(source.draft.metadata.name, in: collection) else {
            _ = try await client.create(source.draft, in: collection)
            return .created
        }
        let draft = source.draft.completed(from: current)
        guard !DocumentDifference(from: current, to: draft).isEmpty else { return .unchanged }
        let match = EntityMatch.version(of: current)
        let next = try await client.replace(draft, in: collection, match: match)
        return next.metadata.entityTag == current.metadata.entityTag ? .unchanged : .configured
    }

    /// What ``apply(_:)`` would do, with the placement of VMs.
    func dryRun(_ source: SourcedDraft) async throws -> (outcome: Outcome, explanation: PlacementExplanation?)
    {
        let collection = try collection(of: source)
        guard let current = try await client.find(source.draft.metadata.name, in: collection) else {
            return (.created, try await client.dryRunCreate(source.draft, in: collection).explanation)
        }
        let draft = source.draft.completed(from: current)
        guard !DocumentDifference(from: current, to: draft).isEmpty else { return (.unchanged, nil) }
        let match = EntityMatch.version(of: current)
        return (.configured, try await client.dryRunReplace(draft, in: collection, match: match).explanation)
    }
}

extension WireDraft {
    /// The draft with labels and annotations that its file does not mention left as they are.
    func completed(from current: WireDocument) -> WireDraft {
        var draft = self
        draft.metadata.labels = metadata.labels ?? current.metadata.labels
        draft.metadata.annotations = metadata.annotations ?? current.metadata.annotations
        return draft
    }
}
