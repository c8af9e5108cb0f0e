import Fleet

extension MemoryState {
    func find(_ kind: Kind, project: String?, name: String, precondition: Precondition) throws -> Resource {
        guard let found = documents[DocumentName(kind, project: project, name)] else {
            throw StoreError.notFound(kind: kind, name: name)
        }
        if case .entityTag(let tag) = precondition, tag != found.metadata.entityTag {
            throw StoreError.preconditionFailed(current: found.metadata.entityTag)
        }
        return found
    }

    /// Spec, labels, annotations and finalizers are taken from what `change` leaves; the rest is ignored.
    mutating func update(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext,
        change: (inout Resource) throws -> Void
    ) throws -> Resource {
        let before = try find(kind, project: project, name: name, precondition: precondition)
        guard before.metadata.deletionTimestamp == nil else {
            throw StoreError.beingDeleted(kind: kind, name: name)
        }
        var wanted = before
        try change(&wanted)
        let update = try DocumentUpdate(before: before, wanted: wanted, context: context)
        guard update.isChange else { return before }
        var after = update.after
        if update.metadataChanged { after.metadata.revision += 1 }
        if update.specChanged {
            let (old, new) = (try JSONContent(before.spec), try JSONContent(after.spec))
            after.metadata.generation += 1
            try checkReferences(of: kind, project: project, spec: new)
            try checkMove(of: before, from: old, to: new)
        }
        // Hosts and pools follow what time has ended with every write.
        if update.specChanged || kind == .host || kind == .pool { try applyToLedger(after) }
        if kind == .host { hosts[after.metadata.uid]?.relabel(after.metadata.labels) }
        try record(.updated, of: &after)
        documents.put(after)
        append(update.event)
        writeAudit(context, kind: kind, project: project, name: name)
        return after
    }

    /// A pool with hosts, and a host with unreleased allocations, stay in their cell: ledger rows carry it.
    private func checkMove(of resource: Resource, from old: JSONContent, to new: JSONContent) throws {
        guard old["cell"] != new["cell"] else { return }
        let (kind, name) = (resource.kind, resource.metadata.name)
        if kind == .pool, let host = firstHost(where: { $0.pool == name }) {
            throw StoreError.inUse(kind: kind, name: name, by: "host \(host.name)")
        }
        if kind == .host, let allocation = allocations.live(onHost: resource.metadata.uid).first {
            throw StoreError.inUse(kind: kind, name: name, by: "allocation \(allocation)")
        }
    }

    /// What a changed spec means for host rows and quota limits.
    private mutating func applyToLedger(_ resource: Resource) throws {
        // Ratios are looked up in the documents.
        documents.put(resource)
        switch resource.kind {
        case .host: try updateHostRow(of: resource)
        case .project: limits[resource.metadata.name] = try quota(in: resource.spec)
        case .pool, .cell, .policy: try followRates(after: resource)
        default: break
        }
    }

    private mutating func updateHostRow(of resource: Resource) throws {
        let spec = try DocumentJSON.decode(HostSpec.self, from: resource.spec)
        let uid = resource.metadata.uid
        let rate = try rate(ofHost: uid, pool: spec.pool, cell: spec.cell)
        guard var row = hosts[uid] else { return }
        let before = row.record
        row.record.cordoned = spec.cordoned == true
        row.record.draining = spec.draining == true
        row.record.cell = spec.cell
        row.record.pool = spec.pool
        _ = row.record.room.take(rate)
        guard row.record != before else { return }
        row.record.generation += 1
        hosts[uid] = row
    }
}
