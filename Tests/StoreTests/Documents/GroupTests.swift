import Fleet
import Store
import Testing

@Suite("Groups and their members", .postgresServer)
struct GroupTests {
    private static let controller = WriteContext(actor: "controller/vmgroups", verb: "scale")
    private static let size = Resources(milliCPU: 1000, memoryMiB: 1024)

    private static func group(
        _ scene: Scene, _ name: String = "web", replicas: Int = 3, _ spec: VMSpec = VMSpec(resources: size)
    ) async throws -> Resource {
        try await scene.create(
            .vmGroup, name, project: "team",
            spec: VMGroupSpec(replicas: replicas, placement: .all, template: VMTemplate(spec: spec)),
            finalizers: [Finalizer.members])
    }

    private static func member(
        _ scene: Scene, _ ordinal: Int, of group: Resource, name: String? = nil
    ) throws -> DocumentDraft {
        let membership = GroupMembership(
            name: group.metadata.name, uid: group.metadata.uid, ordinal: ordinal, placement: .all)
        return scene.draft(
            .vm, name ?? VMGroupSpec.memberName(group.metadata.name, ordinal), project: "team",
            spec: try DocumentJSON.encode(VMSpec(resources: size, group: membership)),
            finalizers: [Finalizer.allocations], status: #"{"cell":"a"}"#)
    }

    private static func change(
        _ scene: Scene, _ group: Resource, make ordinals: Range<Int> = 0..<0, gone: [ID<Document>] = [],
        event: Reason? = nil
    ) throws -> MemberChange {
        MemberChange(
            group: group.metadata.uid, generation: group.metadata.generation,
            made: try ordinals.map { try member(scene, $0, of: group) }, gone: gone,
            events: event.map {
                [
                    EventDraft(
                        kind: .vmGroup, project: "team", name: group.metadata.name, uid: group.metadata.uid,
                        reason: $0, message: "told", source: "vmgroups")
                ]
            } ?? [])
    }

    @Test("members come and go together", arguments: StoreImplementation.all)
    func changes(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let (group, lease) = (try await Self.group(scene), try await scene.lease("*"))
            let other = try await Self.group(scene, "other")
            let position = try await scene.feedPosition()
            let made = try await scene.store.changeMembers(
                Self.change(scene, group, make: 0..<3, event: .membersCreated), lease: lease,
                context: Self.controller)
            #expect(made)
            let entries = try await scene.feed(after: position, limit: 9).entries
            #expect(entries.map(\.name) == ["web-0", "web-1", "web-2"])
            #expect(entries.allSatisfy { $0.cell == "a" })
            #expect(Set(entries.map(\.cursor.transaction)).count == 1)
            #expect(try await scene.events(.membersCreated).map(\.message) == ["told"])
            _ = try await scene.store.changeMembers(
                Self.change(scene, other, make: 0..<1), lease: lease, context: Self.controller)
            let members = try await scene.store.members(of: [group.metadata.uid])
            #expect(members.map(\.metadata.name) == ["web-0", "web-1", "web-2"])
            let both = try await scene.store.members(of: [group.metadata.uid, other.metadata.uid])
            #expect(both.map(\.metadata.name) == ["other-0", "web-0", "web-1", "web-2"])
            #expect(try await scene.store.members(of: []).isEmpty)

            // Another group's member is not this one's to delete.
            let gone = [members[2].metadata.uid, both[0].metadata.uid]
            let taken = try await scene.store.changeMembers(
                Self.change(scene, group, gone: gone, event: .membersDeleted), lease: lease,
                context: Self.controller)
            #expect(taken)
            let marked = try await scene.store.members(of: [group.metadata.uid, other.metadata.uid])
                .filter { $0.metadata.deletionTimestamp != nil }
            #expect(marked.map(\.metadata.name) == ["web-2"])
            #expect(try await scene.events(.deletionRequested).map(\.name) == ["web-2"])
            let audit = try await scene.audit().filter { $0.verb == "scale" }
            #expect(Set(audit.map(\.actor)) == ["controller/vmgroups"] && audit.count == 5)
        }
    }

    @Test("a change for another group than there is does nothing", arguments: StoreImplementation.all)
    func staleChanges(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let (group, lease) = (try await Self.group(scene), try await scene.lease("*"))
            func isRefused(_ change: MemberChange) async throws -> Bool {
                try await !scene.store.changeMembers(change, lease: lease, context: Self.controller)
            }
            var change = try Self.change(scene, group, make: 0..<1)
            try await scene.update(.vmGroup, "web", project: "team") {
                $0.spec = $0.spec.replacing(#""replicas":3"#, with: #""replicas":2"#)
                    .replacing(#""replicas": 3"#, with: #""replicas": 2"#)
            }
            #expect(try await isRefused(change))
            change.generation += 1
            let marked = try await scene.delete(.vmGroup, "web", project: "team")
            #expect(!marked.removed)
            #expect(try await isRefused(change))
            change.made = []
            #expect(try await !isRefused(change))
            change.group = scene.ids.id()
            #expect(try await isRefused(change))
            #expect(try await scene.store.members(of: [group.metadata.uid]).isEmpty)
            let stranger = CellLease(cell: "*", token: lease.token + 1)
            await #expect(throws: StoreError.leaseLost(cell: "*")) {
                try await scene.store.changeMembers(change, lease: stranger, context: Self.controller)
            }
            await #expect(throws: StoreError.leaseLost(cell: "*")) {
                try await scene.store.finalizeGroups([group.metadata.uid], lease: stranger)
            }
        }
    }

    @Test("a name that is taken refuses all of them", arguments: StoreImplementation.all)
    func takenNames(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let (group, lease) = (try await Self.group(scene), try await scene.lease("*"))
            try await scene.createVM("web-1", spec: VMSpec(resources: Self.size))
            let change = try Self.change(scene, group, make: 0..<3)
            await #expect(throws: StoreError.alreadyExists(kind: .vm, name: "web-1")) {
                try await scene.store.changeMembers(change, lease: lease, context: Self.controller)
            }
            #expect(try await scene.store.members(of: [group.metadata.uid]).isEmpty)
            #expect(try await scene.list(ListQuery(kind: .vm)).documents.count == 1)
        }
    }

    @Test("a group goes when its last member is gone", arguments: StoreImplementation.all)
    func finalizing(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let (group, lease) = (try await Self.group(scene), try await scene.lease("*"))
            let uid = group.metadata.uid
            _ = try await scene.store.changeMembers(
                Self.change(scene, group, make: 0..<1), lease: lease, context: Self.controller)
            #expect(try await scene.store.finalizeGroups([uid], lease: lease) == [])
            try await scene.delete(.vmGroup, "web", project: "team")
            #expect(try await scene.store.finalizeGroups([uid], lease: lease) == [])
            let member = try #require(try await scene.store.members(of: [uid]).first).metadata.uid
            _ = try await scene.store.changeMembers(
                Self.change(scene, group, gone: [member]), lease: lease, context: Self.controller)
            #expect(try await scene.store.finalizeGroups([uid], lease: lease) == [])
            #expect(try await scene.store.finalize([member], lease: lease) == [member])
            #expect(try await scene.store.finalizeGroups([uid, member], lease: lease) == [uid])
            #expect(try await scene.store.document(.vmGroup, project: "team", name: "web") == nil)
            let told = try await scene.events(.deleted, kind: .vmGroup).map(\.message)
            #expect(told == ["every member is gone"])
        }
    }

    @Test("what a template names is there and stays", arguments: StoreImplementation.all)
    func references(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            await #expect(
                throws: StoreError.referenceMissing(
                    field: "spec.template.spec.flavor", kind: .flavor, name: "small")
            ) { try await Self.group(scene, "none", VMSpec(flavor: "small")) }
            try await scene.create(.flavor, "small", spec: FlavorSpec(resources: Self.size))
            _ = try await Self.group(scene, "web", VMSpec(cell: "a", pool: "p", flavor: "small"))
            for (kind, name) in [(Kind.flavor, "small"), (.project, "team")] {
                await #expect(throws: StoreError.inUse(kind: kind, name: name, by: "VMGroup web")) {
                    try await scene.delete(kind, name)
                }
            }
            await #expect(
                throws: StoreError.referenceMissing(
                    field: "spec.template.spec.pool", kind: .pool, name: "q")
            ) {
                try await scene.update(.vmGroup, "web", project: "team") {
                    $0.spec = $0.spec.replacing(#""p""#, with: #""q""#)
                }
            }
        }
    }

    @Test("a gang is allocated whole, or refused whole with its reason", arguments: StoreImplementation.all)
    func gangs(_ implementation: StoreImplementation) async throws {
        let quota = Quota(milliCPU: 5000)
        try await Scene.run(implementation, hosts: 2, quota: quota) { scene in
            let lease = try await scene.lease()
            let (h1, h2) = (try await scene.host("h1"), try await scene.host("h2"))
            var gang: [Directive] = []
            for index in 0..<6 {
                let vm = try await scene.createVM("gang-\(index)")
                gang.append(.allocate(scene.allocate(vm, on: index.isMultiple(of: 2) ? h1 : h2)))
            }
            let behind = scene.allocate(try await scene.createVM("behind"), on: h1, milliCPU: 5000)
            let outcome = try await scene.commit([gang, [.allocate(behind)]], lease: lease)
            // The sixth breaks the quota; the five before it give theirs back to the one behind.
            #expect(outcome.refusals == [GroupRefusal(group: 0, reason: .quotaExceeded, host: nil)])
            #expect(try await scene.store.allocations(.live).map(\.workload.name) == ["behind"])
            #expect(try await scene.usage(.milliCPU) == 5000)

            _ = try await scene.store.update(
                .project, project: nil, name: "team", precondition: .none, context: Self.controller
            ) { $0.spec = "{}" }
            let whole = try await scene.commit([gang], lease: lease)
            #expect(whole.refusals.isEmpty)
            let live = try await scene.store.allocations(.live)
            #expect(live.count == 7 && Set(live.dropFirst().map(\.plan)).count <= 2)
        }
    }
}
