import Fleet
import Store
import Testing

@Suite("Events, operations, tokens", .postgresServer)
struct RecordTests {
    private func draft(_ name: String, _ reason: Reason, kind: Kind = .vm, project: String? = "team")
        -> EventDraft
    {
        EventDraft(
            kind: kind, project: project, name: name, uid: .zero, reason: reason, message: "m", source: "t")
    }

    @Test("events are numbered in order and filtered", arguments: StoreImplementation.all)
    func events(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let before = try await scene.events().last?.id
            try await scene.store.appendEvents([draft("a", .running), draft("b", .running)])
            try await scene.advance(1)
            try await scene.store.appendEvents([
                draft("a", .exited), draft("h", .hostSuspect, kind: .host, project: nil),
            ])
            let all = try await scene.store.events(EventQuery(after: before, limit: 10))
            #expect(all.map(\.name) == ["a", "b", "a", "h"])
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.id < $1.id })
            #expect(all.last?.at == Scene.start.advanced(by: .seconds(1)))
            let cases: [(EventQuery, [Reason])] = [
                (EventQuery(name: "a", after: before), [.running, .exited]),
                (EventQuery(reason: .running, after: before, limit: 1), [.running]),
                (EventQuery(kind: .host, project: nil, after: before), [.hostSuspect]),
                (EventQuery(project: "team", after: before), [.running, .running, .exited]),
                (EventQuery(limit: 2), [.exited, .hostSuspect]),
                (EventQuery(after: all.last?.id), []),
            ]
            for (query, expected) in cases {
                #expect(try await scene.store.events(query).map(\.reason) == expected)
            }
        }
    }

    @Test("an operation is replaced as it moves on", arguments: StoreImplementation.all)
    func operations(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            var drain = OperationRecord(
                id: scene.ids.id(), verb: "host.drain", target: "h1", state: .running, done: 0, total: 3,
                message: "", createdAt: Scene.start, updatedAt: Scene.start)
            var later = drain
            later.id = scene.ids.id()
            later.createdAt = Scene.start.advanced(by: .seconds(1))
            let before = try await scene.audit().count
            try await scene.store.putOperation(drain, context: Scene.user)
            try await scene.store.putOperation(later, context: Scene.user)
            drain.done = 2
            try await scene.store.putOperation(drain, context: Scene.user)
            #expect(try await scene.audit().count == before + 2)
            drain.state = .succeeded
            try await scene.store.putOperation(drain, context: Scene.user)
            #expect(try await scene.audit().count == before + 3)
            #expect(try await scene.store.operation(drain.id) == drain)
            #expect(try await scene.store.operation(scene.ids.id()) == nil)
            #expect(try await scene.store.operations(limit: 9) == [later, drain])
            #expect(try await scene.store.operations(limit: 1) == [later])
        }
    }

    @Test("a token is found by its hash until it expires", arguments: StoreImplementation.all)
    func tokens(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let short = AccessToken(
                name: "ci", role: .operator, secretHash: "x", expiresAt: Scene.start.advanced(by: .seconds(9))
            )
            let long = AccessToken(name: "ann", role: .admin, secretHash: "y", expiresAt: nil)
            try await scene.store.createToken(short, context: Scene.user)
            try await scene.store.createToken(long, context: Scene.user)
            #expect(try await scene.store.token(secretHash: "x") == short)
            #expect(try await scene.store.token(secretHash: "z") == nil)
            await #expect(throws: StoreError.alreadyExists(kind: .token, name: "ci")) {
                try await scene.store.createToken(
                    AccessToken(name: "ci", role: .viewer, secretHash: "w", expiresAt: nil),
                    context: Scene.user)
            }
            try await scene.advance(9)
            #expect(try await scene.store.token(secretHash: "x") == nil)
            #expect(try await scene.store.token(secretHash: "y") == long)
            let rows = try await scene.store.audit(AuditQuery(limit: 2))
            #expect(rows.map(\.name) == ["ann", "ci"] && rows.allSatisfy { $0.kind == .token })
        }
    }

    @Test("tokens are listed by name, and gone once revoked", arguments: StoreImplementation.all)
    func revokedTokens(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let tokens = ["b", "a-1", "a.1", "a1"].map { name in
                AccessToken(
                    name: name, role: .viewer, projects: name == "b" ? ["team"] : nil, secretHash: "h" + name,
                    expiresAt: name == "a1" ? Scene.start.advanced(by: .seconds(1)) : nil)
            }
            for token in tokens { try await scene.store.createToken(token, context: Scene.user) }
            try await scene.advance(2)
            let sorted = tokens.sorted { $0.name < $1.name }
            #expect(try await scene.store.tokens(after: nil, limit: 9) == sorted)
            #expect(try await scene.store.tokens(after: "a-1", limit: 2) == Array(sorted[1...2]))
            #expect(try await scene.store.tokens(after: "b", limit: 9).isEmpty)

            let context = WriteContext(actor: "user/ann", requestID: "r9", verb: "revoke")
            try await scene.store.deleteToken("b", context: context)
            #expect(try await scene.store.token(secretHash: "hb") == nil)
            let row = try #require(try await scene.audit().first)
            #expect(row.kind == .token && row.name == "b" && row.verb == "revoke" && row.requestID == "r9")
            await #expect(throws: StoreError.notFound(kind: .token, name: "b")) {
                try await scene.store.deleteToken("b", context: context)
            }
            #expect(try await scene.audit().count { $0.verb == "revoke" } == 1)
            // Its name is free again.
            try await scene.store.createToken(
                AccessToken(name: "b", role: .admin, secretHash: "other", expiresAt: nil),
                context: Scene.user)
        }
    }

    @Test("a token keeps the projects that it is bound to", arguments: StoreImplementation.all)
    func boundTokens(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            for (name, projects) in [("free", nil), ("bound", ["bank", "shop"]), ("blind", [])]
                as [(
                    String, [String]?
                )]
            {
                let token = AccessToken(
                    name: name, role: .viewer, projects: projects, secretHash: name, expiresAt: nil)
                try await scene.store.createToken(token, context: Scene.user)
                #expect(try await scene.store.token(secretHash: name) == token)
            }
        }
    }

    @Test("the audit log is filtered and paged, refusals included", arguments: StoreImplementation.all)
    func audit(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let context = WriteContext(actor: "user/eve", requestID: "r-1", verb: "post")
            for project in ["shop", nil] {
                try await scene.store.recordRefusal(of: "/v1/vms", project: project, context: context)
            }
            try await scene.store.createToken(
                AccessToken(name: "ci", role: .viewer, secretHash: "x", expiresAt: nil), context: Scene.user)
            func rows(_ query: AuditQuery) async throws -> [AuditRecord] {
                try await scene.store.audit(query)
            }
            let refused = try await rows(AuditQuery(refused: true))
            #expect(refused.map(\.project) == [nil, "shop"] && refused.allSatisfy { $0.kind == nil })
            #expect(
                refused.allSatisfy { $0.actor == "user/eve" && $0.requestID == "r-1" && $0.verb == "post" })
            #expect(try await rows(AuditQuery(actor: "user/eve", project: "shop")).count == 1)
            #expect(try await rows(AuditQuery(kind: .token, name: "ci", refused: false)).count == 1)
            let last = try #require(refused.last)
            #expect(try await rows(AuditQuery(actor: "user/eve", before: last.id)) == [])
            #expect(try await rows(AuditQuery(refused: true, before: refused.first?.id)) == [last])
            #expect(try await rows(AuditQuery(limit: 1)).map(\.name) == ["ci"])
        }
    }
}
