import AgentProtocol
import Fleet

extension MemoryState {
    /// Starts an incarnation. A hello names every host that the session carries: other hosts that were bound
    /// to it are bound no more, and their leases run out by themselves.
    mutating func hello(_ hello: SessionHello) throws -> HelloOutcome {
        guard var session = sessions[hello.session] else {
            throw StoreError.unauthorized("the session is not known")
        }
        session.record.incarnation += 1
        session.record.epoch = cluster.epoch
        session.record.renewedAt = now
        session.sequence = 0
        sessions[hello.session] = session
        append(
            aboutCell(
                session.record.cell, session.record.incarnation == 1 ? .agentJoined : .agentRestarted,
                "session \(session.record.name) starts incarnation \(session.record.incarnation)",
                source: EventSource.agent(hello.session)))
        var refused: [RefusedHost] = []
        let carried = hosts(.session(hello.session)).map(\.id)
        var (bound, named): (Set<ID<Document>>, Set<String>) = ([], [])
        for host in hello.hosts {
            // Drawn for every host, so that the ids of later ones do not depend on what exists.
            let uid = ID<Document>(hello.ids.next())
            let isRepeated = !named.insert(host.name).inserted
            if let message = try refusal(
                of: host, isRepeated: isRepeated, session: session.record, terms: hello.terms)
            {
                refused.append(RefusedHost(name: host.name, reason: .claimRefused, message: message))
                noteRefusal(of: host.name, verb: "hello", session: hello.session, message: message)
                continue
            }
            bound.insert(try bind(host, newID: uid, session: session.record))
        }
        try unbind(carried.filter { !bound.contains($0) }, of: carried.count, session.record, hello.absence)
        hostsOfSession[hello.session] = bound
        // Parts that are refused here are not in the answer: the agent hears of them at its next report.
        _ = take(hello.hosts.flatMap(\.parts), session: hello.session)
        return HelloOutcome(
            incarnation: session.record.incarnation, epoch: cluster.epoch, refused: refused)
    }

    /// Why a session may not carry a host, in words; nil when it may.
    private func refusal(
        of host: HostHello, isRepeated: Bool, session: SessionRecord, terms: LeaseTerms
    ) throws -> String? {
        guard JoinToken.covers(session.hostPattern, host: host.name) else {
            return "the session covers \(session.hostPattern)"
        }
        guard isKept(DocumentName(.cell, session.cell)), isKept(DocumentName(.pool, session.pool)) else {
            return "cell \(session.cell) or pool \(session.pool) is gone"
        }
        if isRepeated { return "the host is named twice" }
        let known = documents[DocumentName(.host, host.name)]?.metadata.uid
        if let known, let row = hosts[known] {
            guard row.record.cell == session.cell, row.record.pool == session.pool else {
                return "the host belongs to \(row.record.cell)/\(row.record.pool)"
            }
            if let holder = row.record.session, holder != session.id, isLeased(row, terms: terms) {
                return "session \(holder) holds the host"
            }
        }
        let uuids = host.inventory.devices.map(\.uuid)
        guard Set(uuids).count == uuids.count else { return "a device is named twice" }
        let stranger = uuids.first { uuid in hostOfDevice[uuid].map { $0 != known } ?? false }
        return stranger.map { "device \($0) is in another host" }
    }

    private func isLeased(_ row: HostRow, terms: LeaseTerms) -> Bool {
        guard let renewedAt = row.renewedAt else { return false }
        return now.since(max(renewedAt, pulse.leaseFloor ?? renewedAt)).inSeconds <= terms.leaseSeconds
    }

    mutating func noteRefusal(of host: String, verb: String, session: ID<AgentSession>, message: String) {
        let source = EventSource.agent(session)
        writeAudit(WriteContext(actor: source, verb: verb), kind: .host, name: host)
        let uid = documents[DocumentName(.host, host)]?.metadata.uid ?? .zero
        append(
            EventDraft(
                kind: .host, project: nil, name: host, uid: uid,
                reason: verb == "hello" ? .claimRefused : .reportRefused, message: message, source: source))
    }

    /// Many hosts that are missing at once look like a fault of the agent: they are not fenced until they
    /// return or a person confirms.
    private mutating func unbind(
        _ left: [ID<Document>], of carried: Int, _ session: SessionRecord, _ absence: AbsenceGuard
    ) throws {
        let isHeld = absence.holds(missing: left.count, of: carried)
        let message = "session \(session.name) no longer names \(left.count) of \(carried) hosts"
        for id in left {
            hosts[id]?.record.session = nil
            if isHeld, let record = hosts[id]?.record {
                hosts[id]?.held = message
                let source = EventSource.agent(session.id)
                append(.aboutHost(record, .inventoryShrank, message, source: source))
            }
            try tell(id)
        }
    }

    /// The status of a host document; made up from the ledger row where it has none yet.
    func status(of resource: Resource, row: HostRow) -> HostStatus {
        // why `try?`: a draft may have no status.
        let stored = try? DocumentJSON.decode(HostStatus.self, from: resource.status)
        return stored ?? HostStatus(inventory: row.inventory, contact: row.record.contact)
    }
}
