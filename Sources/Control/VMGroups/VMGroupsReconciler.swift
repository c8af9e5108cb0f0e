internal import Fleet
internal import Foundation
internal import Logging
internal import Store
internal import VMPlacement

/// Makes and takes away the members of VM groups, and says in each group's status where they are. One runs in
/// the fleet, under the lease of what is done once in it.
///
/// Level-triggered: a look at a group reads it and its members and does what is missing, so a look too many
/// does nothing and one that a crash cut short is repeated. Members are made in one transaction that checks
/// the lease and the group's generation: a controller that was held up cannot make what is no longer wanted.
struct VMGroupsReconciler {
    static let source = "vmgroups"
    /// Groups of one look.
    static let batch = 32
    /// Members that one transaction deletes: some milliseconds each, and none needs the others.
    static let deletions = 64
    /// Between two looks, so that the statuses of many members are one change of their group.
    static let pause = Duration.milliseconds(50)
    /// What waits for something that no feed tells is looked at so often.
    static let retryAfter = Duration.seconds(1)

    let lease: CellLease
    let store: any Store
    let hub: FeedHub
    let ids: any IDSource
    let time: Timekeeper
    let logger: Logger

    func run() async throws {
        try await time.repeatUntilLeaseLost {
            try await follow()
        } onFailure: {
            logger.failure("VM groups not reconciled", $0)
        }
    }

    private func follow() async throws {
        var cursor = try await store.feedPosition()
        var due = DueGroups(try await store.all(.vmGroup).map(\.metadata.uid))
        var picture: Picture?
        var last: Timestamp?
        while !Task.isCancelled {
            let page = try await hub.entries(after: cursor)
            cursor = page.next
            for entry in page.entries { due.note(entry) }
            let now = time.now()
            // What was put off by a clock that has been set back since would stay put off.
            if let last, now < last {
                due = DueGroups(try await store.all(.vmGroup).map(\.metadata.uid))
                picture = nil
            }
            last = now
            let groups = due.take(now: now, limit: Self.batch)
            guard !groups.isEmpty else {
                let rest = due.rest(now: now, longest: Self.retryAfter)
                if page.entries.isEmpty { try await hub.wait(after: cursor, timeout: rest) }
                continue
            }
            if let made = picture?.made, now.since(made) > Self.retryAfter { picture = nil }
            try await reconcile(groups, &due, &picture, now)
            try await time.sleep(Self.pause)
        }
    }

    // MARK: One look

    /// The fleet's room when it was read, less what was given to gangs since.
    private struct Picture {
        var made: Timestamp
        var room: GangRoom
    }

    private func reconcile(
        _ uids: [ID<Document>], _ due: inout DueGroups, _ picture: inout Picture?, _ now: Timestamp
    ) async throws {
        let groups = try await store.documents(.vmGroup, uids: uids).map(VMGroupRecord.init)
        let found = try await store.members(of: groups.map(\.metadata.uid)).map(VMRecord.init)
        due.know(found)
        let members = Dictionary(grouping: found, by: { $0.spec.group?.uid })
        var writes: [StatusWrite] = []
        var untold: [EventDraft] = []
        var ended: [ID<Document>] = []
        for group in groups {
            let uid = group.metadata.uid
            let own = (members[uid] ?? []).sorted { $0.ordinal < $1.ordinal }
            if group.metadata.deletionTimestamp != nil, own.isEmpty {
                ended.append(uid)
                continue
            }
            let outcome = try await change(group, own, &picture, now)
            switch outcome.next {
            case .done: break
            case .lookAgain:
                due.again(uid)
                continue
            case .wait: due.again(uid, after: now.advanced(by: Self.retryAfter))
            }
            let next = VMGroupStatus.derived(
                group: group, members: own, cell: outcome.cell, obstacle: outcome.obstacle, now: now)
            guard next != group.status else { continue }
            var events = group.events(of: next)
            writes.append(
                StatusWrite(
                    uid: uid, expected: group.metadata.resourceVersion,
                    status: try CellPipeline.encoded(next), event: events.popLast()))
            untold += events
        }
        if !untold.isEmpty { try await store.appendEvents(untold) }
        if !writes.isEmpty { try await store.writeStatuses(writes, lease: lease) }
        if !ended.isEmpty {
            let gone = try await store.finalizeGroups(ended, lease: lease)
            for uid in Set(ended).subtracting(gone) {
                due.again(uid, after: now.advanced(by: Self.retryAfter))
            }
        }
    }

    private struct Outcome {
        enum Next {
            /// The members are as wanted, or on their way.
            case done
            /// They were changed, or the group was: what was read is out of date.
            case lookAgain
            /// Something is in the way.
            case wait
        }

        var next: Next
        var cell: String?
        var obstacle: VMGroupStatus.Obstacle?
    }

    /// Deletes members that are too many, or else makes those that are missing.
    private func change(
        _ group: VMGroupRecord, _ members: [VMRecord], _ picture: inout Picture?, _ now: Timestamp
    ) async throws -> Outcome {
        var work = MemberWork(group: group.metadata, spec: group.spec, members: members)
        var cell = group.cell(members: members)
        guard !work.isEmpty else { return Outcome(next: .done, cell: cell) }
        if !work.surplus.isEmpty {
            work.missing = []
            work.surplus = Array(work.surplus.prefix(Self.deletions))
        } else if group.spec.isGang, cell == nil {
            switch try await chooseCell(for: group, &picture, now) {
            case .cell(let name): cell = name
            case .none(let why):
                return Outcome(next: .wait, obstacle: .init(reason: .noCellFits, message: why))
            }
        }
        let change = MemberChange(
            group: group.metadata.uid, generation: group.metadata.generation,
            made: try work.missing.map { try group.member(ordinal: $0, uid: ID(ids.next()), cell: cell) },
            gone: work.surplus, events: work.events(about: group, members: members, cell: cell))
        let context = WriteContext(actor: "controller/\(Self.source)", verb: "scale")
        do {
            _ = try await store.changeMembers(change, lease: lease, context: context)
            return Outcome(next: .lookAgain, cell: cell)
        } catch StoreError.alreadyExists(_, let name) {
            let message = "a VM \(name) that is not of this group has a member's name"
            return Outcome(next: .wait, cell: cell, obstacle: .init(reason: .nameTaken, message: message))
        } catch StoreError.referenceMissing(_, let kind, let name) {
            let message = "\(kind.rawValue) \(name), which its template names, is being deleted"
            return Outcome(
                next: .wait, cell: cell, obstacle: .init(reason: .referenceMissing, message: message))
        }
    }

    private func chooseCell(
        for group: VMGroupRecord, _ picture: inout Picture?, _ now: Timestamp
    ) async throws -> GangRoom.Choice {
        let draft = try group.member(ordinal: 0, uid: group.metadata.uid, cell: nil)
        let member = try VMRecord(draft.resource(createdAt: now))
        var flavors: [String: FlavorSpec] = [:]
        if let name = member.spec.flavor {
            flavors[name] = try await store.document(.flavor, project: nil, name: name).map {
                try JSONDecoder().decode(FlavorSpec.self, from: Data($0.spec.utf8))
            }
        }
        guard let request = member.request(flavors: flavors) else { return .none("its flavor is gone") }
        var current: Picture
        if let picture {
            current = picture
        } else {
            let pools = try await store.specs(PoolSpec.self)
            current = Picture(made: now, room: GangRoom(hosts: try await store.hosts(.all), pools: pools))
        }
        let choice = current.room.choose(request, count: group.spec.replicas)
        picture = current
        return choice
    }
}

extension DocumentDraft {
    /// The document as it would be.
    func resource(createdAt: Timestamp) -> Resource {
        Resource(
            kind: kind,
            metadata: Metadata(
                name: name, uid: uid, project: project, labels: labels, annotations: annotations,
                createdAt: createdAt, finalizers: finalizers),
            spec: spec, status: status)
    }
}
