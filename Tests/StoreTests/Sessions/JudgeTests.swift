import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Judging host leases", .postgresServer)
struct JudgeTests {
    /// Lets time pass as live controllers do, judging every 5 s; returns everything that was judged.
    @discardableResult
    private func pass(
        _ seconds: Double, _ scene: Scene, _ lease: CellLease, reporting: [String] = [],
        breaker: Double = 1
    ) async throws -> HostJudgement {
        var all = HostJudgement(suspected: [], fenced: [], returned: [], tripped: [])
        var left = seconds
        while left > 0 {
            let step = min(5, left)
            left -= step
            try await scene.advance(step)
            for session in reporting { try await scene.report(session: session, sequence: 0) }
            let judged = try await scene.judge(lease, breaker: breaker)
            all.suspected += judged.suspected
            all.fenced += judged.fenced
            all.returned += judged.returned
            all.tripped = judged.tripped
        }
        return all
    }

    private func contact(_ name: String, _ scene: Scene) async throws -> HostStatus {
        try DocumentJSON.decode(HostStatus.self, from: try await scene.document(.host, name).status)
    }

    @Test("ready, suspect, fenced, and back", arguments: StoreImplementation.all)
    func transitions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let before = try await scene.host()
            let id = before.id
            #expect(try await pass(30, scene, lease).suspected.isEmpty)
            let suspected = try await pass(1, scene, lease)
            #expect(suspected == HostJudgement(suspected: [id], fenced: [], returned: [], tripped: []))
            #expect(try await contact("h1", scene).contact == .suspect)
            #expect(try await contact("h1", scene).conditions.map(\.status) == [.unknown])
            #expect(try await scene.host().generation == before.generation + 1)
            #expect(try await pass(9, scene, lease).fenced.isEmpty)
            #expect(try await pass(1, scene, lease).fenced == [id])
            #expect(try await contact("h1", scene).conditions.map(\.status) == [.no])
            #expect(try await scene.host().contact == .fenced)
            try await scene.report(sequence: 1)
            #expect(try await scene.host().contact == .fenced)
            #expect(try await scene.judge(lease).returned == [id])
            #expect(try await contact("h1", scene).conditions.map(\.status) == [.yes])
            #expect(try await scene.host().generation == before.generation + 3)
            #expect(
                try await scene.judge(lease)
                    == HostJudgement(suspected: [], fenced: [], returned: [], tripped: []))
            let reasons = try await scene.events(kind: .host, name: "h1").map(\.reason)
            #expect(Array(reasons.suffix(3)) == [.hostSuspect, .hostFenced, .hostReturned])
        }
    }

    @Test("a suspect host returns without being fenced, also by hello", arguments: StoreImplementation.all)
    func early(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await pass(31, scene, lease)
            let suspect = try await scene.host()
            #expect(suspect.contact == .suspect)
            try await scene.hello(try await scene.session().id, [scene.hostHello("h1")])
            let returned = try await scene.host()
            #expect(returned.contact == .ready && returned.generation == suspect.generation + 1)
            #expect(try await contact("h1", scene).contact == .ready)
            #expect(try await scene.judge(lease).returned.isEmpty)
            #expect(try await scene.events(.hostReturned).count == 1)
        }
    }

    @Test("unreachable hosts are not renewed", arguments: StoreImplementation.all)
    func unreachable(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            for sequence in 1...7 {
                try await scene.advance(5)
                try await scene.report(sequence: sequence, unreachable: ["h2"])
                try await scene.judge(lease, breaker: 1)
            }
            #expect(try await scene.host("h1").contact == .ready)
            #expect(try await scene.host("h2").contact == .suspect)
        }
    }

    @Test("after a silence of all controllers leases count anew", arguments: StoreImplementation.all)
    func extensionOfSuspect(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            var lease = try await scene.lease()
            try await pass(31, scene, lease)
            #expect(try await scene.host().contact == .suspect)
            // Down for a minute; the next sign of life is the next holder's acquisition, not its judgement.
            try await scene.advance(60)
            lease = try await scene.lease(holder: "c1")
            #expect(try await scene.events(.leaseExtended).count == 1)
            // The extension spares a suspect host, but does not bring it back.
            #expect(
                try await pass(40, scene, lease)
                    == HostJudgement(suspected: [], fenced: [], returned: [], tripped: []))
            #expect(try await scene.host().contact == .suspect)
            #expect(try await pass(1, scene, lease).fenced.count == 1)
            #expect(try await scene.events(.leaseExtended).count == 1)
        }
    }

    @Test("a silent ready host gets one more lease after a gap", arguments: StoreImplementation.all)
    func extensionOfReady(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await scene.advance(60)
            #expect(try await scene.judge(lease).suspected.isEmpty)
            #expect(try await pass(30, scene, lease).suspected.isEmpty)
            #expect(try await pass(1, scene, lease).suspected.count == 1)
        }
    }

    @Test("too many lost at once trips the breaker of their zone", arguments: StoreImplementation.all)
    func breaker(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease()
            let lost = try await scene.join("s1", pattern: "l*")
            let fine = try await scene.join("s2", pattern: "f*")
            let far = try await scene.join("s3", pattern: "z*")
            try await scene.hello(lost, (0..<3).map { scene.hostHello("l\($0)", zone: "z1") })
            try await scene.hello(fine, (0..<9).map { scene.hostHello("f\($0)", zone: "z1") })
            try await scene.hello(far, (0..<2).map { scene.hostHello("z\($0)", zone: "z2") })
            let judged = try await pass(50, scene, lease, reporting: ["s2"], breaker: 0.2)
            // Three of twelve in z1 are above a fifth; two lost hosts of z2 are too few to trip.
            #expect(judged.tripped == ["z1"])
            #expect(judged.suspected.count == 2 && judged.fenced.count == 2)
            for name in ["l0", "l1", "l2"] { #expect(try await scene.host(name).contact == .ready) }
            #expect(try await scene.events(.breakerTripped).count == 1)
            try await scene.report(session: "s1", sequence: 1)
            #expect(try await scene.judge(lease, breaker: 0.2).tripped.isEmpty)
            let again = try await pass(35, scene, lease, reporting: ["s2"], breaker: 0.2)
            #expect(again.tripped == ["z1"])
            #expect(try await scene.events(.breakerTripped).count == 2)
            // A person who knows better judges with another fraction.
            #expect(try await scene.judge(lease, breaker: 0.25).suspected.count == 3)
        }
    }

    @Test("hosts suspected a while ago do not count", arguments: StoreImplementation.all)
    func breakerWindow(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease()
            for index in 0..<4 {
                let session = try await scene.join("s\(index)", pattern: "h\(index)")
                try await scene.hello(session, [scene.hostHello("h\(index)")])
            }
            // One is lost every 35 s: never three within a minute.
            for index in 0..<4 {
                let alive = (index..<4).dropFirst().map { "s\($0)" }
                let judged = try await pass(35, scene, lease, reporting: alive, breaker: 0.1)
                #expect(judged.tripped.isEmpty && judged.suspected.count == 1)
            }
        }
    }

    @Test("while the epoch is new nothing is fenced", arguments: StoreImplementation.all)
    func quarantine(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            _ = try await scene.store.raiseEpoch(quarantine: .seconds(100))
            let early = try await pass(95, scene, lease)
            #expect(early.suspected.count == 1 && early.fenced.isEmpty)
            #expect(try await pass(5, scene, lease).fenced.count == 1)
        }
    }

    @Test("a host that no session ever held is not judged", arguments: StoreImplementation.all)
    func neverHeld(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.host, "h9", spec: HostSpec(cell: "a", pool: "p"))
            let lease = try await scene.lease()
            let judged = try await pass(60, scene, lease)
            #expect(judged == HostJudgement(suspected: [], fenced: [], returned: [], tripped: []))
        }
    }
}
