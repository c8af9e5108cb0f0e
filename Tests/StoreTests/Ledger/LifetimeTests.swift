import AgentProtocol
import Fleet
import Store
import Testing

@Suite("What is known of lifetimes", .postgresServer)
struct LifetimeTests {
    private static let predicted = PredictedLifetime(
        at: Scene.start, startedAt: Scene.start, exit: Scene.start.advanced(by: .seconds(60)),
        lifetimeClass: 2, fillsHost: true)

    private static func same(_ text: String?, _ expected: String) throws -> Bool {
        try text.map { try JSONContent($0) } == JSONContent(expected)
    }

    @Test(
        "notes and placements are written with the plan, for accepted groups",
        arguments: StoreImplementation.all)
    func commits(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            #expect(try await scene.store.lifetimes(cell: "a") == LifetimeRecord(cell: nil, hosts: []))
            let lease = try await scene.lease()
            let (h1, h2) = (try await scene.host("h1"), try await scene.host("h2"))
            var directives: [AllocateDirective] = []
            for (index, milliCPU) in [1000, 99_000, 1000, 1000].enumerated() {
                let vm = try await scene.createVM("v\(index)")
                var directive = scene.allocate(vm, on: index == 3 ? h2 : h1, milliCPU: milliCPU)
                directive.lifetime = index == 3 ? nil : Self.predicted
                directive.lifetime?.lifetimeClass = index + 1
                directives.append(directive)
            }
            var commit = try await scene.planned(directives.map { [.allocate($0)] }, lease: lease)
            commit.lifetimes = LifetimeNote(cell: #"{"now":1}"#, hosts: [h2.id: #"{"state":1}"#])
            #expect(try await scene.store.commit(commit).refusals.map(\.group) == [1])
            let record = try await scene.store.lifetimes(cell: "a")
            #expect(try Self.same(record.cell, #"{"now":1}"#))
            #expect(record.hosts.map(\.host) == [h1.id, h2.id].sorted())
            let first = record.hosts.first { $0.host == h1.id }
            #expect(first?.kept == nil)
            #expect(first?.arrivals.map(\.allocation) == [0, 2].map { directives[$0].allocation.id })
            #expect(
                first?.arrivals.compactMap { Optional($0.lifetime) }
                    == [0, 2].compactMap { directives[$0].lifetime })
            let second = record.hosts.first { $0.host == h2.id }
            #expect(try Self.same(second?.kept, #"{"state":1}"#) && second?.arrivals == [])
            #expect(try await scene.store.lifetimes(cell: "b").hosts.isEmpty)
        }
    }

    @Test("a note replaces what was known, arrivals included", arguments: StoreImplementation.all)
    func notes(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let host = try await scene.host()
            for (name, note) in [("one", nil), ("two", #"{"state":2}"#), ("three", nil)]
                as [(String, String?)]
            {
                var directive = scene.allocate(try await scene.createVM(name), on: host)
                directive.lifetime = Self.predicted
                var commit = try await scene.planned([[.allocate(directive)]], lease: lease)
                commit.lifetimes = note.map { LifetimeNote(cell: "{}", hosts: [host.id: $0]) }
                _ = try await scene.store.commit(commit)
            }
            var record = try await scene.store.lifetimes(cell: "a")
            #expect(try Self.same(record.hosts.first?.kept, #"{"state":2}"#))
            #expect(record.hosts.first?.arrivals.count == 2)
            try await scene.store.writeLifetimes(
                LifetimeNote(cell: #"{"now":2}"#, hosts: [host.id: #"{"state":0}"#, scene.ids.id(): "{}"]),
                lease: lease)
            record = try await scene.store.lifetimes(cell: "a")
            #expect(record.hosts.count == 1 && record.hosts.first?.arrivals == [])
            #expect(try Self.same(record.hosts.first?.kept, #"{"state":0}"#))
            #expect(try Self.same(record.cell, #"{"now":2}"#))
        }
    }

    @Test("whoever lost the lease writes nothing", arguments: StoreImplementation.all)
    func fenced(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let old = try await scene.lease()
            _ = try await scene.lease()
            let note = LifetimeNote(cell: "{}", hosts: [try await scene.host().id: "{}"])
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await scene.store.writeLifetimes(note, lease: old)
            }
            #expect(try await scene.store.lifetimes(cell: "a") == LifetimeRecord(cell: nil, hosts: []))
        }
    }

    @Test("ended allocations are those released, the youngest first", arguments: StoreImplementation.all)
    func ended(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            var placed: [Allocation] = []
            for name in ["runs", "one", "two"] { placed.append(try await scene.place(name, lease: lease)) }
            #expect(try await scene.store.allocations(.ended(cell: "a", limit: 9)).isEmpty)
            try await scene.commit(
                [[scene.release(placed[1].id)], [scene.release(placed[2].id)]], lease: lease)
            try await scene.report(placed.dropFirst().map { scene.part($0.id, .stopped) }, sequence: 1)
            let ended = placed.dropFirst().map(\.id).sorted(by: >)
            #expect(try await scene.store.allocations(.ended(cell: "a", limit: 9)).map(\.id) == ended)
            #expect(try await scene.store.allocations(.ended(cell: "a", limit: 1)).map(\.id) == [ended[0]])
            #expect(try await scene.store.allocations(.ended(cell: "b", limit: 9)).isEmpty)
        }
    }
}
