import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Releasing allocations", .postgresServer)
struct ReleaseTests {
    @Test("capacity is free only when the agent confirmed the stop", arguments: StoreImplementation.all)
    func confirmation(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease, devices: ["GPU-h1-0"])
            let before = try await scene.host()
            try await scene.commit([[scene.release(placed.id, .hostDrained)]], lease: lease)
            let releasing = try await scene.host()
            #expect(try await scene.allocation(placed.id).state == .releasing)
            #expect(releasing.room == before.room && releasing.takenDevices == before.takenDevices)
            #expect(releasing.assignment == before.assignment + 1)
            #expect(try await scene.events(.hostDrained).map(\.name) == ["web"])
            try await scene.advance(1)
            try await scene.report([scene.part(placed.id, .stopped)], sequence: 1)
            let free = try await scene.host()
            #expect(free.room.sharedMilliCPU == 0 && free.room.usedMemoryMiB == 0)
            #expect(free.takenDevices.isEmpty && free.assignment == releasing.assignment + 1)
            let released = try await scene.allocation(placed.id)
            #expect(released.state == .released)
            #expect(released.releasedAt == Scene.start.advanced(by: .seconds(1)))
            #expect(try await scene.usage(.milliCPU) == 0)
            #expect(try await scene.usage(.devices) == 0)
            #expect(try await scene.events(.released).count == 1)
        }
    }

    @Test("a second release is no change, a third is gone", arguments: StoreImplementation.all)
    func repeats(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease)
            try await scene.commit([[scene.release(placed.id)]], lease: lease)
            let (host, position) = (try await scene.host(), try await scene.feedPosition())
            let again = try await scene.commit([[scene.release(placed.id)]], lease: lease)
            #expect(again.refusals.isEmpty)
            #expect(try await scene.host() == host)
            #expect(try await scene.feed(after: position, limit: 9).entries.isEmpty)
            #expect(try await scene.events(.stopping).count == 1)
            try await scene.report([scene.part(placed.id, .stopped)], sequence: 1)
            let late = try await scene.commit([[scene.release(placed.id)]], lease: lease)
            #expect(late.refusals == [GroupRefusal(group: 0, reason: .allocationGone, host: nil)])
        }
    }

    @Test(
        "filters find what they name, in order of the id, pages from new to old",
        arguments: StoreImplementation.all)
    func filters(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            var placed: [Allocation] = []
            for index in 0..<4 {
                placed.append(try await scene.place("v\(index)", on: "h\(index % 2 + 1)", lease: lease))
            }
            try await scene.report([scene.part(placed[0].id, .stopped)], sequence: 1)
            let ids = placed.map(\.id)
            let (h1, h2) = (placed[0].host, placed[1].host)
            let workloads = placed.map(\.workload.uid)
            let cases: [(AllocationFilter, [ID<Allocation>])] = [
                (.live, Array(ids[1...])), (.cell("a"), Array(ids[1...])), (.cell("b"), []),
                (.hosts([h1]), [ids[2]]), (.hosts([h2, h1, h2]), Array(ids[1...])),
                (.workloads([workloads[2], workloads[0]]), [ids[0], ids[2]]),
                (.ids([ids[3], ids[0], scene.ids.id()]), [ids[0], ids[3]]),
                (.page(after: nil, limit: 3), ids[1...].reversed()),
                (.page(after: ids[1], limit: 3), [ids[0]]), (.page(after: ids[0], limit: 3), []),
            ]
            for (filter, expected) in cases {
                #expect(try await scene.store.allocations(filter).map(\.id) == expected, "\(filter)")
            }
        }
    }

    @Test("VMs that wait are counted by cell", arguments: StoreImplementation.all)
    func waiting(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("placed", lease: lease)
            try await scene.createVM("here", spec: VMSpec(cell: "a"))
            try await scene.createVM("anywhere")
            try await scene.createVM("doomed")
            try await scene.delete(.vm, "doomed", project: "team")
            #expect(try await scene.store.countWaitingVMs() == ["a": 1, "": 1])
            try await scene.report([scene.part(placed.id, .stopped)], sequence: 1)
            #expect(try await scene.store.countWaitingVMs() == ["a": 1, "": 2])
        }
    }

    @Test("statuses are written on the version they were computed from", arguments: StoreImplementation.all)
    func statuses(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease()
            let (one, two) = (try await scene.createVM("one"), try await scene.createVM("two"))
            try await scene.update(.vm, "two", project: "team") { $0.metadata.labels = ["a": "b"] }
            let writes = [one, two, one].enumerated().map { index, vm in
                StatusWrite(
                    uid: vm.metadata.uid, expected: vm.metadata.resourceVersion,
                    status: #"{"restarts":\#(index)}"#,
                    event: EventDraft(
                        kind: .vm, project: "team", name: vm.metadata.name, uid: vm.metadata.uid,
                        reason: .noHostFits, message: "\(index)", source: "vms"))
            }
            let position = try await scene.feedPosition()
            try await scene.store.writeStatuses(writes, lease: lease)
            let written = try await scene.document(.vm, "one", project: "team")
            #expect(try JSONContent(written.status) == JSONContent(#"{"restarts":0}"#))
            #expect(written.metadata.generation == 1 && written.metadata.revision == 1)
            #expect(written.metadata.entityTag == one.metadata.entityTag)
            let skipped = try await scene.document(.vm, "two", project: "team")
            #expect(try JSONContent(skipped.status) == JSONContent("{}"))
            #expect(try await scene.feed(after: position, limit: 9).entries.map(\.name) == ["one"])
            #expect(try await scene.events(.noHostFits).map(\.message) == ["0"])
            let stale = CellLease(cell: "a", token: lease.token + 1)
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await scene.store.writeStatuses(writes, lease: stale)
            }
        }
    }
}
