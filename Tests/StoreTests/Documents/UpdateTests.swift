import Fleet
import Store
import Testing

@Suite("Changing documents", .postgresServer)
struct UpdateTests {
    private struct Refused: Error {}

    @Test("spec moves the generation, metadata the revision", arguments: StoreImplementation.all)
    func versions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let created = try await scene.createVM("web", spec: VMSpec(pool: "p"))
            let labelled = try await scene.update(.vm, "web", project: "team") {
                $0.metadata.labels = ["a": "b"]
            }
            #expect(labelled.metadata.generation == 1 && labelled.metadata.revision == 2)
            let respecified = try await scene.update(.vm, "web", project: "team") { $0.spec = "{}" }
            #expect(respecified.metadata.generation == 2 && respecified.metadata.revision == 2)
            let both = try await scene.update(.vm, "web", project: "team") {
                $0.spec = #"{"pool":"p"}"#
                $0.metadata.annotations = ["why": "test"]
            }
            #expect(both.metadata.generation == 3 && both.metadata.revision == 3)
            let versions = [created, labelled, respecified, both].map(\.metadata.resourceVersion)
            #expect(Set(versions).count == 4)
            #expect(try await scene.document(.vm, "web", project: "team").canonical == both.canonical)
        }
    }

    @Test("a change that means the same writes nothing", arguments: StoreImplementation.all)
    func sameMeaning(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let spec = VMSpec(resources: Resources(milliCPU: 1, memoryMiB: 2))
            let created = try await scene.createVM("web", spec: spec)
            let position = try await scene.feedPosition()
            let same = try await scene.update(.vm, "web", project: "team") {
                $0.spec = #" { "resources" : {"memoryMiB":2, "milliCPU" :1} } "#
                $0.status = #"{"state":"Running"}"#
                $0.metadata.name = "other"
            }
            #expect(same.canonical == created.canonical)
            #expect(try await scene.feed(after: position, limit: 9).entries.isEmpty)
            #expect(try await scene.audit().filter { $0.verb == "update" }.isEmpty)
        }
    }

    @Test("a stale entity tag is answered with the one in force", arguments: StoreImplementation.all)
    func preconditions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let old = try await scene.createVM("web")
            let tag = Precondition.entityTag(old.metadata.entityTag)
            let new = try await scene.update(.vm, "web", project: "team", precondition: tag) {
                $0.metadata.labels = ["a": "b"]
            }
            let stale = StoreError.preconditionFailed(current: new.metadata.entityTag)
            await #expect(throws: stale) {
                try await scene.update(.vm, "web", project: "team", precondition: tag) { $0.spec = "{}" }
            }
            await #expect(throws: stale) {
                try await scene.delete(.vm, "web", project: "team", precondition: tag)
            }
            await #expect(throws: StoreError.notFound(kind: .vm, name: "none")) {
                try await scene.update(.vm, "none", project: "team") { _ in }
            }
        }
    }

    @Test("what the change throws comes out, and nothing is written", arguments: StoreImplementation.all)
    func throwingChange(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let created = try await scene.createVM("web")
            await #expect(throws: Refused.self) {
                try await scene.update(.vm, "web", project: "team") {
                    $0.spec = #"{"pool":"p"}"#
                    throw Refused()
                }
            }
            await #expect(
                throws: StoreError.referenceMissing(field: "spec.pool", kind: .pool, name: "zz")
            ) {
                try await scene.update(.vm, "web", project: "team") { $0.spec = #"{"pool":"zz"}"# }
            }
            #expect(try await scene.document(.vm, "web", project: "team").canonical == created.canonical)
        }
    }

    @Test("scheduling fields of a host move its ledger generation", arguments: StoreImplementation.all)
    func hostSpec(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let before = try await scene.host()
            try await scene.update(.host, "h1") {
                $0.spec = #"{"cell":"a","pool":"p","cordoned":true,"cordonReason":"disk"}"#
            }
            let cordoned = try await scene.host()
            #expect(cordoned.cordoned && cordoned.generation == before.generation + 1)
            try await scene.update(.host, "h1") {
                $0.spec = #"{"cell":"a","pool":"p","cordoned":true,"cordonReason":"fan"}"#
                $0.metadata.labels = ["cpu.vendor": "intel", "rack": "7"]
            }
            let relabelled = try await scene.host()
            #expect(relabelled.generation == cordoned.generation)
            #expect(relabelled.labels == ["cpu.vendor": "intel", "rack": "7"])
            try await scene.update(.host, "h1") { $0.spec = #"{"cell":"a","pool":"p"}"# }
            #expect(try await scene.host().generation == cordoned.generation + 1)
            let reasons = try await scene.events(kind: .host, name: "h1").map(\.reason)
            #expect(Array(reasons.suffix(3)) == [.cordoned, .updated, .uncordoned])
        }
    }

    @Test("a pool's ratio reaches its hosts, even below use", arguments: StoreImplementation.all)
    func ratio(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let ratio: @Sendable (Int) -> String = {
                #"{"cell":"a","admits":["vm"],"cpuRatioPerMille":\#($0)}"#
            }
            let before = try await scene.host()
            try await scene.update(.pool, "p") { $0.spec = ratio(2000) }
            let doubled = try await scene.host()
            #expect(doubled.room.cpuRatioPerMille == 2000)
            #expect(doubled.generation == before.generation + 1)
            let lease = try await scene.lease()
            try await scene.place("big", lease: lease, milliCPU: 30_000)
            try await scene.update(.pool, "p") { $0.spec = ratio(1000) }
            let over = try await scene.host()
            #expect(!over.room.cpuHolds && over.room.cpuRatioPerMille == 1000)
            let vm = try await scene.createVM("more")
            let outcome = try await scene.commit(
                [[.allocate(scene.allocate(vm, on: over, milliCPU: 1))]], lease: lease)
            #expect(outcome.refusals.map(\.reason) == [.insufficientCPU])
        }
    }
}
