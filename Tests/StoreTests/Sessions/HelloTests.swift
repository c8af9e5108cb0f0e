import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Hello of a session", .postgresServer)
struct HelloTests {
    @Test("unknown hosts get a document and a ledger row", arguments: StoreImplementation.all)
    func joining(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let session = try await scene.join("s1", pattern: "h*")
            let outcome = try await scene.hello(session, [scene.hostHello("h1", zone: "z1")])
            #expect(outcome == HelloOutcome(incarnation: 1, epoch: 1, refused: []))
            let document = try await scene.document(.host, "h1")
            let spec = try DocumentJSON.decode(HostSpec.self, from: document.spec)
            #expect(spec == HostSpec(cell: "a", pool: "p"))
            let status = try DocumentJSON.decode(HostStatus.self, from: document.status)
            #expect(status.inventory == scene.hostHello("h1", zone: "z1").inventory)
            #expect(status.contact == .ready && status.session == session.description)
            #expect(status.conditions.map(\.type) == [.ready] && status.conditions.map(\.status) == [.yes])
            let host = try await scene.host()
            #expect(host.id == document.metadata.uid && host.session == session)
            #expect(host.generation == 1 && host.contact == .ready && host.domain.zone == "z1")
            #expect(host.room.total == Resources(milliCPU: 16_000, memoryMiB: 65_536))
            #expect(host.room.reserved == Resources(milliCPU: 1000, memoryMiB: 4096))
            #expect(host.labels == ["cpu.vendor": "amd"] && host.devices.count == 2)
            #expect(try await scene.events(.hostJoined).map(\.name) == ["h1"])
            #expect(try await scene.events(.agentJoined).count == 1)
        }
    }

    @Test("a restart moves the ledger only when something changed", arguments: StoreImplementation.all)
    func restart(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let session = try await scene.session().id
            try await scene.update(.host, "h1") { $0.metadata.labels = ["cpu.vendor": "mine"] }
            let before = try await scene.host()
            let second = try await scene.hello(session, [scene.hostHello("h1")])
            #expect(second.incarnation == 2)
            #expect(try await scene.host() == before)
            #expect(before.labels == ["cpu.vendor": "mine"])
            var grown = scene.hostHello("h1")
            grown.inventory.capacity.milliCPU = 32_000
            grown.inventory.labels["gen"] = "2"
            try await scene.hello(session, [grown])
            let after = try await scene.host()
            #expect(after.generation == before.generation + 1)
            #expect(after.room.total.milliCPU == 32_000)
            #expect(after.labels == ["cpu.vendor": "mine", "gen": "2"])
            let status = try DocumentJSON.decode(
                HostStatus.self, from: try await scene.document(.host, "h1").status)
            #expect(status.inventory == grown.inventory)
            #expect(try await scene.events(.agentRestarted).count == 2)
        }
    }

    @Test("hosts that are not the session's to claim are refused", arguments: StoreImplementation.all)
    func claims(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            try await scene.create(.pool, "q", spec: PoolSpec(cell: "a", admits: [.vm]))
            try await scene.create(.host, "hq", spec: HostSpec(cell: "a", pool: "q"))
            let other = try await scene.join("s2", pattern: "h*")
            let outcome = try await scene.hello(
                other,
                [
                    scene.hostHello("x1"), scene.hostHello("hq"), scene.hostHello("h1"),
                    scene.hostHello("h7", devices: ["GPU-h1-0"]), scene.hostHello("h8", devices: ["D"]),
                    scene.hostHello("h9", devices: ["D"]), scene.hostHello("h8", devices: []),
                ])
            #expect(outcome.refused.map(\.name) == ["x1", "hq", "h1", "h7", "h9", "h8"])
            #expect(outcome.refused.allSatisfy { $0.reason == .claimRefused && !$0.message.isEmpty })
            #expect(try await scene.store.hosts(.session(other)).map(\.name) == ["h8"])
            #expect(try await scene.events(.claimRefused).map(\.name) == outcome.refused.map(\.name))
            let audited = try await scene.audit().filter {
                $0.actor == "agent/\(other)" && $0.verb == "hello"
            }
            #expect(Set(audited.map(\.name)) == Set(outcome.refused.map(\.name) + ["h8"]))
            #expect(try await scene.store.document(.host, project: nil, name: "h7") == nil)
        }
    }

    @Test("a host may be claimed when its session's lease ran out", arguments: StoreImplementation.all)
    func takeover(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let (before, first) = (try await scene.host(), try await scene.session().id)
            let second = try await scene.join("s2", pattern: "h1")
            try await scene.advance(30)
            #expect(try await scene.hello(second, [scene.hostHello("h1")]).refused.count == 1)
            try await scene.advance(0.001)
            #expect(try await scene.hello(second, [scene.hostHello("h1")]).refused.isEmpty)
            #expect(try await scene.host().session == second)
            #expect(try await scene.host().generation == before.generation)
            #expect(try await scene.store.hosts(.session(first)).isEmpty)
            let lost = try await scene.report([scene.part(scene.ids.id(), .running)], sequence: 1)
            #expect(lost.map(\.reason) == [.reportRefused])
        }
    }

    @Test("hosts that a hello no longer names are not renewed", arguments: StoreImplementation.all)
    func leaving(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let session = try await scene.session().id
            try await scene.hello(session, [scene.hostHello("h2")])
            #expect(try await scene.host("h1").session == nil)
            #expect(try await scene.store.hosts(.session(session)).map(\.name) == ["h2"])
        }
    }

    @Test("parts are taken up, unknown ones quarantined", arguments: StoreImplementation.all)
    func parts(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let known = try await scene.place("web", lease: lease)
            let lost: ID<Allocation> = scene.ids.id()
            let parts = [
                scene.part(known.id, .running),
                scene.part(lost, .running, directive: scene.orphan(lost, milliCPU: 20_000)),
            ]
            let session = try await scene.session().id
            let outcome = try await scene.hello(session, [scene.hostHello("h1", parts: parts)])
            #expect(outcome.refused.isEmpty)
            #expect(try await scene.allocation(known.id).state == .active)
            let orphan = try await scene.allocation(lost)
            #expect(orphan.quarantined && orphan.state == .active && orphan.cell == "a")
            #expect(try await !scene.host().room.cpuHolds)
            #expect(try await scene.host().room.sharedMilliCPU == 21_000)
            #expect(try await scene.usage(.milliCPU) == 21_000)
            #expect(try await scene.events(.quarantined).map(\.name) == ["lost"])
        }
    }

    @Test("a session nobody joined is not known", arguments: StoreImplementation.all)
    func stranger(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let error = await #expect(throws: StoreError.self) {
                try await scene.hello(scene.ids.id(), [scene.hostHello("h1")])
            }
            guard case .unauthorized = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
