import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Reports of a session", .postgresServer)
struct ReportTests {
    /// What a report does to an allocation in a state: the state after it, and the event.
    private static let table: [(Allocation.State, PartReport.State, Allocation.State, Reason?)] = [
        (.reserved, .starting, .reserved, nil), (.reserved, .running, .active, .running),
        (.reserved, .stopped, .released, .exited), (.reserved, .failed, .released, .startFailed),
        (.active, .starting, .active, nil), (.active, .running, .active, nil),
        (.active, .stopped, .released, .exited), (.active, .failed, .released, .exited),
        (.releasing, .starting, .releasing, nil), (.releasing, .running, .releasing, nil),
        (.releasing, .stopped, .released, .released), (.releasing, .failed, .released, .released),
        (.released, .stopped, .released, nil), (.released, .failed, .released, nil),
        (.released, .running, .released, .allocationGone), (.released, .starting, .released, nil),
    ]

    @Test("every report in every state", arguments: StoreImplementation.all)
    func transitions(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            var sequence = 0
            for (index, row) in Self.table.enumerated() {
                let placed = try await scene.place("v\(index)", lease: lease, milliCPU: 10, memoryMiB: 10)
                try await bring(placed.id, to: row.0, scene: scene, lease: lease, sequence: &sequence)
                let (host, last) = (try await scene.host(), try await scene.events().last?.id)
                sequence += 1
                let refused = try await scene.report([scene.part(placed.id, row.1)], sequence: sequence)
                #expect(try await scene.allocation(placed.id).state == row.2, "\(row)")
                let events = try await scene.store.events(EventQuery(after: last))
                #expect(events.map(\.reason) == (row.3.map { [$0] } ?? []), "\(row)")
                let runsReleased = row.0 == .released && (row.1 == .running || row.1 == .starting)
                #expect(refused.map(\.reason) == (runsReleased ? [.allocationGone] : []), "\(row)")
                let frees = row.0 != .released && row.2 == .released
                let after = try await scene.host()
                #expect(after.assignment == host.assignment + (frees || runsReleased ? 1 : 0), "\(row)")
                #expect(after.room.sharedMilliCPU == host.room.sharedMilliCPU - (frees ? 10 : 0), "\(row)")
            }
        }
    }

    /// It may have begun and ended between two reports.
    @Test("a part that leaves an exit code did start", arguments: StoreImplementation.all)
    func shortLived(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            for (index, (code, reason)) in [
                (3, Reason.exited), (0, .exited), (126, .startFailed), (127, .startFailed),
            ].enumerated() {
                let placed = try await scene.place("v\(index)", lease: lease, milliCPU: 10, memoryMiB: 10)
                var part = scene.part(placed.id, .failed)
                part.exitCode = code
                let last = try await scene.events().last?.id
                #expect(try await scene.report([part], sequence: index + 1).isEmpty)
                #expect(try await scene.allocation(placed.id).state == .released)
                let event = try #require(try await scene.store.events(EventQuery(after: last)).last)
                #expect(event.reason == reason && event.message.hasSuffix("exit code \(code)"), "\(event)")
            }
        }
    }

    private func bring(
        _ id: ID<Allocation>, to state: Allocation.State, scene: Scene, lease: CellLease,
        sequence: inout Int
    ) async throws {
        switch state {
        case .reserved: return
        case .active:
            sequence += 1
            try await scene.report([scene.part(id, .running)], sequence: sequence)
        case .releasing: try await scene.commit([[scene.release(id)]], lease: lease)
        case .released:
            sequence += 1
            try await scene.report([scene.part(id, .stopped)], sequence: sequence)
        }
        #expect(try await scene.allocation(id).state == state)
    }

    @Test("a repeated sequence renews and does nothing else", arguments: StoreImplementation.all)
    func repeats(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease)
            try await scene.report(sequence: 5)
            try await scene.advance(20)
            let stopped = [scene.part(placed.id, .stopped), scene.part(scene.ids.id(), .running)]
            for sequence in [5, 4] {
                #expect(try await scene.report(stopped, sequence: sequence).isEmpty)
            }
            #expect(try await scene.allocation(placed.id).state == .reserved)
            #expect(try await scene.session().renewedAt == Scene.start.advanced(by: .seconds(20)))
            #expect(try await scene.report(stopped, sequence: 6).count == 1)
            #expect(try await scene.allocation(placed.id).state == .released)
        }
    }

    @Test("an older incarnation is superseded", arguments: StoreImplementation.all)
    func incarnations(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease)
            try await scene.report(sequence: 9)
            try await scene.hello(try await scene.session().id, [scene.hostHello("h1")])
            await #expect(throws: StoreError.sessionSuperseded(current: 2)) {
                try await scene.report(
                    [scene.part(placed.id, .stopped)], sequence: 10, incarnation: 1)
            }
            // The sequence begins again with an incarnation.
            try await scene.report([scene.part(placed.id, .running)], sequence: 1)
            #expect(try await scene.allocation(placed.id).state == .active)
        }
    }

    @Test("a report about another session's host is refused and audited", arguments: StoreImplementation.all)
    func strangers(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease)
            let other = try await scene.join("s2", pattern: "x*")
            try await scene.hello(other, [scene.hostHello("x1")])
            let before = try await scene.audit().count
            let parts = [
                scene.part(placed.id, .stopped), scene.part(placed.id, .stopped),
                scene.part(placed.id, .stopped, host: "x1"), scene.part(placed.id, .stopped, host: "none"),
            ]
            let refused = try await scene.report(parts, session: "s2", sequence: 1)
            #expect(
                refused.map(\.reason) == [.reportRefused, .reportRefused, .allocationGone, .reportRefused])
            #expect(refused.map(\.host) == ["h1", "h1", "x1", "none"])
            #expect(try await scene.allocation(placed.id).state == .reserved)
            let rows = try await scene.audit()
            #expect(rows.count == before + 2)
            #expect(rows.first?.verb == "report" && rows.first?.actor == "agent/\(other)")
            #expect(try await scene.events(.reportRefused).map(\.name) == ["h1", "none"])
        }
    }

    @Test("an unknown allocation is quarantined when it tells its size", arguments: StoreImplementation.all)
    func orphans(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await scene.place("web", lease: lease, devices: ["GPU-h1-0"])
            let (lost, ended): (ID<Allocation>, ID<Allocation>) = (scene.ids.id(), scene.ids.id())
            let before = try await scene.host()
            let directive = scene.orphan(lost, devices: ["GPU-h1-0", "GPU-h1-1", "GPU-zz"])
            let refused = try await scene.report(
                [
                    scene.part(scene.ids.id(), .running),
                    scene.part(lost, .running, directive: directive),
                    scene.part(ended, .stopped, directive: scene.orphan(ended)),
                ], sequence: 1)
            #expect(refused.map(\.reason) == [.allocationGone])
            let orphan = try await scene.allocation(lost)
            #expect(orphan.quarantined && orphan.state == .active && orphan.workload == directive.workload)
            // A device is under one allocation: the one that the ledger knew keeps it.
            #expect(orphan.devices == ["GPU-h1-1"])
            let host = try await scene.host()
            #expect(host.takenDevices == ["GPU-h1-0", "GPU-h1-1"])
            #expect(host.assignment == before.assignment + 1)
            #expect(host.room.sharedMilliCPU == before.room.sharedMilliCPU + 2000)
            #expect(try await scene.store.allocations(.ids([ended])).isEmpty)
            try await scene.report([scene.part(lost, .stopped)], sequence: 2)
            #expect(try await scene.host().room == before.room)
            #expect(try await scene.usage(.milliCPU) == 1000)
        }
    }
}
