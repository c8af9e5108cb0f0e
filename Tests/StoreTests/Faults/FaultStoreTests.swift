import FaultLab
import Fleet
import Store
import Testing

@Suite("Faults", .postgresServer)
struct FaultStoreTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func spec(_ name: String) -> FaultSpec {
        FaultSpec(
            kind: .agentHang, selector: TargetSelector(names: [FaultTarget(.agent, name)]),
            parameters: FaultParameters(delaySeconds: 0.5, value: "x\"y"), leaseSeconds: 30, blastRadius: 9,
            steadyState: [.agentsReport], abortWhen: AbortCondition(hostsNotReadyAbove: 2))
    }

    private var targets: [InjectorTarget] {
        ["a", "b"].map {
            InjectorTarget(
                target: FaultTarget(.agent, $0), hosts: [$0], labels: ["rack": "r1"], kinds: [.agentHang])
        }
    }

    /// Changes the book and says whether that was written.
    @discardableResult
    private func edit(
        _ store: any Store, as version: Int64? = nil, context: WriteContext? = Scene.user,
        _ body: (inout FaultBook) throws -> Void
    ) async throws -> Bool {
        let known = try await store.faultBook()
        var book = known.book
        try body(&book)
        return try await store.commitFaults(
            FaultBookChange(from: known.book, to: book, subject: "f"), version: version ?? known.version,
            context: context)
    }

    @Test("the book is kept as it is", arguments: StoreImplementation.all)
    func kept(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            #expect(try await store.faultBook().book == FaultBook())
            try await edit(store, context: nil) {
                _ = $0.exchange("i", InjectorReport(targets: targets, reports: [], leftovers: ["z"]), at: now)
            }
            try await edit(store) { _ = try $0.create("f", spec("a"), actor: "user/x", at: now) }
            let book = try await store.faultBook().book
            let fault = try #require(book.faults["f"])
            #expect(fault.spec == spec("a") && fault.createdAt == now && fault.actor == "user/x")
            #expect(book.injectors["i"]?.targets == targets && book.injectors["i"]?.leftovers == ["z"])
            #expect(try await store.fault("f") == fault)
            #expect(try await store.fault("g") == nil)
        }
    }

    @Test("of two changes of one version one is written", arguments: StoreImplementation.all)
    func versions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            let before = try await store.faultBook().version
            #expect(try await edit(store, as: before) { $0.engage(reason: "first", actor: "u", at: now) })
            #expect(try await !edit(store, as: before) { $0.lift() })
            let book = try await store.faultBook().book
            #expect(book.killSwitch?.reason == "first" && book.killSwitch?.at == now)
            #expect(try await edit(store) { $0.lift() })
            #expect(try await store.faultBook().book.killSwitch == nil)
        }
    }

    @Test("what is over leaves the book and stays in the list", arguments: StoreImplementation.all)
    func finished(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            try await edit(store, context: nil) {
                _ = $0.exchange("i", InjectorReport(targets: targets, reports: []), at: now)
            }
            try await edit(store) { _ = try $0.create("f", spec("a"), actor: "u", at: now) }
            try await edit(store) { _ = try $0.abort("f", reason: "r", at: now) }
            #expect(try await store.faultBook().book.faults.isEmpty)
            let over = try #require(try await store.fault("f"))
            #expect(over.state == .recovered && over.finishedAt == now)
            // The name is free again.
            let later = now.advanced(by: .seconds(5))
            try await edit(store) { _ = try $0.create("g", spec("b"), actor: "u", at: now) }
            try await edit(store) { _ = try $0.create("f", spec("a"), actor: "u", at: later) }
            #expect(try await store.fault("f")?.isOpen == true)
            #expect(Set(try await store.faults(limit: 9).map(\.name)) == ["f", "g"])
            #expect(try await store.faults(limit: 1).count == 1)
        }
    }

    @Test("people are audited and injectors are not", arguments: StoreImplementation.all)
    func audited(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            let before = try await scene.audit().count
            try await edit(store, context: nil) {
                _ = $0.exchange("i", InjectorReport(targets: targets, reports: []), at: now)
            }
            #expect(try await scene.audit().count == before)
            try await edit(store) { $0.engage(reason: "r", actor: "u", at: now) }
            let rows = try await scene.audit()
            #expect(rows.count == before + 1 && rows.contains { $0.name == "f" && $0.kind == nil })
        }
    }
}
