import Fleet
import Store
import Testing

@Suite("Listing documents", .postgresServer)
struct ListTests {
    @Test("pages follow (project, name) and end", arguments: StoreImplementation.all)
    func pages(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.project, "beta", spec: ProjectSpec())
            for name in ["c", "a", "b-1", "b.1", "b0"] {
                try await scene.createVM(name)
                try await scene.createVM(name, project: "beta")
            }
            var seen: [String] = []
            var query = ListQuery(kind: .vm, limit: 3)
            while true {
                let page = try await scene.list(query)
                #expect(page.documents.count <= 3)
                seen += page.documents.map { "\($0.metadata.project ?? "")/\($0.metadata.name)" }
                guard page.more, let last = page.documents.last else { break }
                query.after = .init(project: last.metadata.project ?? "", name: last.metadata.name)
            }
            let names = ["a", "b-1", "b.1", "b0", "c"]
            #expect(seen == names.map { "beta/\($0)" } + names.map { "team/\($0)" })
        }
    }

    @Test("filters narrow a list", arguments: StoreImplementation.all)
    func filters(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.cell, "b", spec: CellSpec())
            try await scene.create(.vm, "one", project: "team", spec: VMSpec(cell: "a"), labels: ["t": "x"])
            try await scene.create(.vm, "two", project: "team", spec: VMSpec(cell: "b"), labels: ["t": "y"])
            let draft = scene.draft(
                .vm, "three", project: "team", spec: "{}", labels: ["t": "x", "u": "z"],
                status: #"{"cell":"b"}"#)
            _ = try await scene.store.create([draft], context: Scene.user)
            let cases: [(ListQuery, [String])] = [
                (ListQuery(kind: .vm, labels: ["t": "x"]), ["one", "three"]),
                (ListQuery(kind: .vm, labels: ["t": "x", "u": "z"]), ["three"]),
                (ListQuery(kind: .vm, cell: "b"), ["three", "two"]),
                (ListQuery(kind: .vm, name: "two"), ["two"]),
                (ListQuery(kind: .vm, project: "none"), []),
                (ListQuery(kind: .pool, cell: "a"), ["p"]),
                (ListQuery(kind: .pool, cell: "b"), []),
            ]
            for (query, expected) in cases {
                #expect(try await scene.list(query).documents.map(\.metadata.name) == expected)
            }
        }
    }

    @Test("a list is narrowed by strings in spec and status", arguments: StoreImplementation.all)
    func fields(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            for (name, spec, status) in [
                ("one", #"{"pool":"p"}"#, #"{"host":"h.1","state":"Running"}"#),
                ("two", #"{"pool":"p"}"#, #"{"state":"Pending"}"#),
                ("three", "{}", #"{"host":"h.1","state":"Running","restarts":1}"#),
            ] {
                let draft = scene.draft(.vm, name, project: "team", spec: spec, status: status)
                _ = try await scene.store.create([draft], context: Scene.user)
            }
            for (fields, expected) in [
                (["spec.pool": "p"], ["one", "two"]), (["status.host": "h.1"], ["one", "three"]),
                (["status.host": "h.1", "spec.pool": "p"], ["one"]), (["status.state": "Failed"], []),
                (["spec.flavor": ""], []), (["status.host": "%"], []), (["spec.none.deep": "x"], []),
            ] as [([String: String], [String])] {
                var query = ListQuery(kind: .vm, limit: 2)
                query.fields = fields
                let page = try await scene.list(query)
                #expect(page.documents.map(\.metadata.name) == expected, "\(fields)")
                #expect(!page.more)
            }
        }
    }

    @Test("a list's position misses nothing that follows", arguments: StoreImplementation.all)
    func position(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let page = try await scene.list(ListQuery(kind: .vm))
            try await scene.createVM("web")
            let entries = try await scene.feed(after: page.position, limit: 9).entries
            #expect(entries.map(\.name) == ["web"])
        }
    }
}
