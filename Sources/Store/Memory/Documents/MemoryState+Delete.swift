import Fleet

extension MemoryState {
    /// The precondition is checked before anything else; a document already marked is answered as it is.
    mutating func delete(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext
    ) throws -> (resource: Resource, removed: Bool) {
        var resource = try find(kind, project: project, name: name, precondition: precondition)
        guard resource.metadata.deletionTimestamp == nil else { return (resource, false) }
        if let user = try userOfDocument(resource) {
            throw StoreError.inUse(kind: kind, name: name, by: user)
        }
        writeAudit(context, kind: kind, project: project, name: name)
        guard resource.metadata.finalizers.isEmpty else {
            resource.metadata.deletionTimestamp = now
            resource.metadata.revision += 1
            try record(.updated, of: &resource)
            documents.put(resource)
            let message = "deletion requested by \(context.actor)"
            append(.about(resource, .deletionRequested, message, source: context.actor))
            return (resource, false)
        }
        let last = try remove(resource, message: "deleted by \(context.actor)", source: context.actor)
        return (last, true)
    }

    /// Takes a document away with its rows; its last version goes into the feed.
    @discardableResult
    mutating func remove(_ resource: Resource, message: String, source: String) throws -> Resource {
        if resource.kind == .vm { vmHistory[resource.metadata.uid] = try vmLife(resource) }
        var last = resource
        try record(.deleted, of: &last)
        documents.remove(resource)
        readings.forget(resource.metadata.uid)
        switch resource.kind {
        case .host: removeHostRow(resource.metadata.uid)
        case .project: limits[resource.metadata.name] = nil
        default: break
        }
        versions[resource.metadata.uid] = nil
        modelFiles[resource.metadata.uid] = nil
        forgetRates(of: resource.metadata.uid)
        append(.about(last, .deleted, message, source: source))
        return last
    }

    /// Who refers to a document: the first document by kind, project and name, else an unreleased allocation.
    ///
    /// Allocations of a workload do not hold it while it has finalizers, which wait for them.
    private func userOfDocument(_ resource: Resource) throws -> String? {
        if try isPromoted(resource) { return "its promotion" }
        let name = resource.metadata.name
        let isNamed = !resource.kind.isTenant && resource.kind != .host
        for kind in Kind.allCases where kind.isDocument && isNamed {
            for other in documents.ordered(kind) {
                let spec = try JSONContent(other.spec)
                let references = DocumentReference.all(in: spec, kind: kind, project: other.metadata.project)
                if references.contains(where: { $0.kind == resource.kind && $0.name == name }) {
                    return "\(kind.rawValue) \(other.metadata.name)"
                }
            }
        }
        let uid = resource.metadata.uid
        let holders: [ID<Allocation>] =
            switch resource.kind {
            case .host: allocations.live(onHost: uid)
            case .vm, .trainingJob, .servingDeployment:
                resource.metadata.finalizers.isEmpty ? allocations.live(ofWorkload: uid) : []
            case .project: allocations.live(inProject: name)
            default: []
            }
        return holders.first.map { "allocation \($0)" }
    }
}
