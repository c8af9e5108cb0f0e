import Fleet
import Store

/// Groups, and members that a controller with or without its lease makes and takes away.
extension History {
    private static let groups = ["g0", "g1"]

    mutating func groupCall(seeing store: any Store) async throws -> Operation {
        let groups = try await store.list(ListQuery(kind: .vmGroup, limit: 10)).documents
        guard let group = pick(groups), !once(in: 8) else { return createGroup() }
        switch number(0..<8) {
        case 0: return deleteGroup(group)
        case 1: return scaleGroup(group)
        case 2: return try await finalizeGroups(groups, seeing: store)
        default: return try await changeMembers(of: group, seeing: store)
        }
    }

    private static func spec(replicas: Int, _ template: String) -> String {
        #"{"placement":"all","replicas":\#(replicas),"template":{"spec":\#(template)}}"#
    }

    private mutating func createGroup() -> Operation {
        let template = pick([#"{"flavor":"f0"}"#, #"{"pool":"p"}"#, #"{"pool":"zz"}"#]) ?? "{}"
        let draft = DocumentDraft(
            uid: ids.id(), kind: .vmGroup, project: once(in: 6) ? "beta" : "team",
            name: name(of: Self.groups), finalizers: once(in: 8) ? [] : [Finalizer.members],
            spec: Self.spec(replicas: number(1..<4), template))
        return Operation("create group \(draft.name)") { harness in
            let made = try await harness.store.create([draft], context: Self.context("create"))
            return made.map { CanonicalDump.line(of: $0) }.joined()
        }
    }

    private func deleteGroup(_ group: Resource) -> Operation {
        let (project, name) = (group.metadata.project, group.metadata.name)
        return Operation("delete group \(name)") { harness in
            let (resource, removed) = try await harness.store.delete(
                .vmGroup, project: project, name: name, precondition: .none,
                context: Self.context("delete"))
            return CanonicalDump.line(of: resource) + " \(removed)"
        }
    }

    private mutating func scaleGroup(_ group: Resource) -> Operation {
        let (project, name) = (group.metadata.project, group.metadata.name)
        let spec = Self.spec(replicas: number(1..<5), "{}")
        return Operation("scale group \(name)") { harness in
            let changed = try await harness.store.update(
                .vmGroup, project: project, name: name, precondition: .none,
                context: Self.context("scale")
            ) { $0.spec = spec }
            return CanonicalDump.line(of: changed)
        }
    }

    private mutating func fleetLease(seeing store: any Store) async throws -> CellLease {
        let token = try await store.leases().first { $0.lease.cell == "a" }?.lease.token ?? 1
        return CellLease(cell: "a", token: once(in: 12) ? token - 1 : token)
    }

    private mutating func changeMembers(
        of group: Resource, seeing store: any Store
    ) async throws -> Operation {
        let uid = once(in: 20) ? ids.id() : group.metadata.uid
        let membership = #"{"group":{"name":"g","ordinal":0,"placement":"all","uid":"\#(uid)"}}"#
        let drafts = (0..<number(0..<3)).map { ordinal in
            DocumentDraft(
                uid: ids.id(), kind: .vm, project: group.metadata.project,
                name: "\(group.metadata.name)-\(ordinal + number(0..<3))",
                finalizers: [Finalizer.allocations], spec: membership, status: #"{"cell":"a"}"#)
        }
        let present = try await store.list(ListQuery(kind: .vm, limit: 100)).documents
        let gone = (0..<number(0..<2)).compactMap { _ in pick(present)?.metadata.uid }
        let change = MemberChange(
            group: uid, generation: group.metadata.generation - (once(in: 12) ? 1 : 0), made: drafts,
            gone: gone,
            events: [
                EventDraft(
                    kind: .vmGroup, project: group.metadata.project, name: group.metadata.name,
                    uid: group.metadata.uid, reason: .membersCreated, message: "m", source: "vmgroups")
            ])
        let lease = try await fleetLease(seeing: store)
        return Operation("members of \(group.metadata.name): +\(drafts.count) -\(gone.count)") { harness in
            let isDone = try await harness.store.changeMembers(
                change, lease: lease, context: Self.context("scale"))
            let members = try await harness.store.members(of: [uid])
            return "\(isDone) " + members.map { CanonicalDump.line(of: $0) }.joined()
        }
    }

    private mutating func finalizeGroups(
        _ groups: [Resource], seeing store: any Store
    ) async throws -> Operation {
        let lease = try await fleetLease(seeing: store)
        let uids = groups.map(\.metadata.uid)
        return Operation("finalize groups") { harness in
            try await harness.store.finalizeGroups(uids, lease: lease).map(\.description)
                .joined(separator: " ")
        }
    }
}
