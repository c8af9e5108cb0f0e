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
            // Nothing is placed on a silent host; what is held is fencing, for as long as it takes.
            #expect(judged.suspected.count == 5 && judged.fenced.count == 2)
            let held = try await pass(300, scene, lease, reporting: ["s2"], breaker: 0.2)
            #expect(held.tripped == ["z1"] && held.fenced.isEmpty)
            for name in ["l0", "l1", "l2"] { #expect(try await scene.host(name).contact == .suspect) }
            #expect(try await scene.events(.breakerTripped).count == 1)
            let tripped = try await scene.store.breakers()
            #expect(tripped.map { "\($0.cell) \($0.zone) \($0.lost) \($0.hosts)" } == ["a z1 3 12"])
            #expect(try await healing(scene)?.status == .no)
            try await scene.report(session: "s1", sequence: 1)
            #expect(try await scene.judge(lease, breaker: 0.2).tripped.isEmpty)
            #expect(try await scene.events(.breakerCleared).count == 1)
            #expect(try await healing(scene)?.status == .yes)
            let again = try await pass(35, scene, lease, reporting: ["s2"], breaker: 0.2)
            #expect(again.tripped == ["z1"] && again.suspected.count == 3)
            #expect(try await scene.events(.breakerTripped).count == 2)
        }
    }

    private func healing(_ scene: Scene) async throws -> Condition? {
        let status = try DocumentJSON.decode(
            CellStatus.self, from: try await scene.document(.cell, "a").status)
        return status.conditions?.first { $0.type == .healing }
    }

    @Test(
        "a person who confirms the loss lets the breaker's hosts be fenced",
        arguments: StoreImplementation.all)
    func breakerReset(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease()
            let lost = try await scene.join("s1", pattern: "l*")
            try await scene.hello(lost, (0..<4).map { scene.hostHello("l\($0)", zone: "z1") })
            await #expect(throws: StoreError.notFound(kind: .cell, name: "a/z1")) {
                try await scene.store.resetBreaker(cell: "a", zone: "z1", context: Scene.user)
            }
            #expect(try await pass(60, scene, lease, breaker: 0.1).fenced.isEmpty)
            #expect(
                try await scene.store.resetBreaker(cell: "a", zone: "z1", context: Scene.user) == 4)
            #expect(try await healing(scene)?.status == .yes)
            #expect(try await scene.store.breakers().isEmpty)
            let judged = try await pass(5, scene, lease, breaker: 0.1)
            #expect(judged.fenced.count == 4 && judged.tripped.isEmpty)
            // Back and lost again, they count anew.
            try await scene.report(session: "s1", sequence: 1)
            #expect(try await scene.judge(lease).returned.count == 4)
            let again = try await pass(60, scene, lease, breaker: 0.1)
            #expect(again.tripped == ["z1"] && again.fenced.isEmpty)
            #expect(try await scene.events(.breakerReset).map(\.source) == ["user/ann"])
        }
    }

    @Test(
        "the silence that leases are judged through follows their length", arguments: StoreImplementation.all)
    func gap(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let terms = LeaseTerms.scaled(leaseSeconds: 3)
            #expect(terms.outageSeconds == 1 && LeaseTerms.standard.outageSeconds == 10)
            func judge() async throws -> HostJudgement {
                try await scene.store.judgeHosts(cell: lease, terms: terms, breaker: 1)
            }
            _ = try await judge()
            #expect(try await scene.events(.leaseExtended).isEmpty)
            // Away for longer than the lease, but not for ten seconds: nobody could renew.
            try await scene.advance(5)
            #expect(try await judge().suspected.isEmpty)
            #expect(try await scene.events(.leaseExtended).count == 1)
            // A hiccup of less than the gap is none.
            for _ in 0..<4 {
                try await scene.advance(0.75)
                #expect(try await judge().suspected.isEmpty)
            }
            try await scene.advance(0.75)
            #expect(try await judge().suspected.count == 1)
            #expect(try await scene.events(.leaseExtended).count == 1)
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
            _ = try await scene.store.raiseEpoch(quarantine: .seconds(100))
            let lease = try await scene.lease()
            #expect(try await scene.host().contact == .suspect)
            #expect(try await pass(95, scene, lease).fenced.isEmpty)
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
