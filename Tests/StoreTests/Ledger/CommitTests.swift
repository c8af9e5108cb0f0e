import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Committing plans", .postgresServer)
struct CommitTests {
    @Test("an accepted directive takes room, devices and quota", arguments: StoreImplementation.all)
    func effects(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let before = try await scene.host()
            let vm = try await scene.createVM("web")
            let position = try await scene.feedPosition()
            let directive = scene.allocate(
                vm, on: before, milliCPU: 3000, memoryMiB: 2048, devices: ["GPU-h1-1", "GPU-h1-0"])
            let status = #"{"state":"Scheduled"}"#
            let planned = try await scene.planned(
                [[.allocate(directive)]], lease: lease, statuses: [vm.metadata.uid: status])
            let outcome = try await scene.store.commit(planned)
            #expect(outcome.refusals.isEmpty)
            let host = try await scene.host()
            #expect(host.room.sharedMilliCPU == 3000 && host.room.usedMemoryMiB == 2048)
            #expect(host.takenDevices == ["GPU-h1-0", "GPU-h1-1"])
            #expect(host.assignment == before.assignment + 1 && host.generation == before.generation)
            let allocation = try await scene.allocation(directive.allocation.id)
            #expect(allocation.state == .reserved && allocation.plan == planned.plan.id)
            #expect(allocation.devices == ["GPU-h1-0", "GPU-h1-1"])
            #expect(try await scene.usage(.milliCPU) == 3000)
            #expect(try await scene.usage(.memoryMiB) == 2048)
            #expect(try await scene.usage(.devices) == 2)
            let read = try await scene.document(.vm, "web", project: "team")
            #expect(try JSONContent(read.status) == JSONContent(status))
            #expect(read.metadata.resourceVersion != vm.metadata.resourceVersion)
            #expect(try await scene.store.plan(planned.plan.id) == planned.plan)
            #expect(try await scene.store.planHead(cell: "a", engine: .vmPlacement) == planned.plan.id)
            #expect(try await scene.store.planHead(cell: "a", engine: .hostMaintenance) == nil)
            let entries = try await scene.feed(after: position, limit: 9).entries
            #expect(entries.map(\.kind.rawValue).sorted() == ["Allocation", "VM"])
            #expect(entries.allSatisfy { $0.cursor.transaction == outcome.transaction })
            let entry = entries.first { $0.kind == .allocation }
            #expect(entry?.uid.uuid == directive.allocation.id.uuid && entry?.host == host.id)
            #expect(entry?.cell == "a" && entry?.project == "team" && entry?.name == "web")
            #expect(try await scene.events(.scheduled).map(\.message) == ["on h1"])
        }
    }

    @Test("classes count as the room says", arguments: StoreImplementation.all)
    func classes(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await scene.place("g", lease: lease, milliCPU: 4000, class: .guaranteed)
            try await scene.place("s", lease: lease, milliCPU: 2000, class: .spot)
            let room = try await scene.host().room
            #expect(room.guaranteedMilliCPU == 4000 && room.sharedMilliCPU == 2000)
        }
    }

    @Test("a group is applied whole or not at all", arguments: StoreImplementation.all)
    func groups(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (h1, h2) = (try await scene.host("h1"), try await scene.host("h2"))
            var vms: [Resource] = []
            for index in 0..<5 { vms.append(try await scene.createVM("v\(index)")) }
            let running = try await scene.place("old", lease: lease)
            let groups: [[Directive]] = [
                [.allocate(scene.allocate(vms[0], on: h1, milliCPU: 8000))],
                // The second part of the group does not fit after the first group: all of it is taken back.
                [
                    scene.release(running.id), .allocate(scene.allocate(vms[1], on: h2, milliCPU: 15_000)),
                    .allocate(scene.allocate(vms[2], on: h1, milliCPU: 7000)),
                ],
                // Fits because the group before gave everything back.
                [.allocate(scene.allocate(vms[3], on: h2, milliCPU: 15_000))],
                [.allocate(scene.allocate(vms[4], on: h2, milliCPU: 1))],
            ]
            let statuses = Dictionary(
                uniqueKeysWithValues: vms.map { ($0.metadata.uid, #"{"state":"Scheduled"}"#) })
            let outcome = try await scene.commit(groups, lease: lease, statuses: statuses)
            #expect(
                outcome.refusals == [
                    GroupRefusal(group: 1, reason: .insufficientCPU, host: h1.id),
                    GroupRefusal(group: 3, reason: .insufficientCPU, host: h2.id),
                ])
            #expect(try await scene.host("h1").room.sharedMilliCPU == 9000)
            #expect(try await scene.host("h2").room.sharedMilliCPU == 15_000)
            #expect(try await scene.allocation(running.id).state == .reserved)
            #expect(try await scene.store.allocations(.live).count == 3)
            #expect(try await scene.usage(.milliCPU) == 24_000)
            for (index, written) in [true, false, false, true, false].enumerated() {
                let status = try await scene.document(.vm, "v\(index)", project: "team").status
                let expected = written ? #"{"state":"Scheduled"}"# : "{}"
                #expect(try JSONContent(status) == JSONContent(expected))
            }
            #expect(try await scene.host("h1").assignment == h1.assignment + 2)
            #expect(try await scene.host("h2").assignment == h2.assignment + 1)
        }
    }

    @Test("a plan moves the head even when it changes nothing", arguments: StoreImplementation.all)
    func emptyPlans(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let empty = try await scene.planned([], lease: lease)
            _ = try await scene.store.commit(empty)
            #expect(try await scene.store.planHead(cell: "a", engine: .vmPlacement) == empty.plan.id)
            let refused = try await scene.planned([[scene.release(scene.ids.id())]], lease: lease)
            let outcome = try await scene.store.commit(refused)
            #expect(outcome.refusals == [GroupRefusal(group: 0, reason: .allocationGone, host: nil)])
            #expect(try await scene.store.planHead(cell: "a", engine: .vmPlacement) == refused.plan.id)
        }
    }

    @Test("a plan is applied once and on the head only", arguments: StoreImplementation.all)
    func parents(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let first = try await scene.planned([], lease: lease)
            let rival = try await scene.planned([], lease: lease)
            _ = try await scene.store.commit(first)
            await #expect(throws: StoreError.planAlreadyApplied(first.plan.id)) {
                try await scene.store.commit(first)
            }
            await #expect(throws: StoreError.planParentStale(current: first.plan.id)) {
                try await scene.store.commit(rival)
            }
            #expect(try await scene.store.plan(rival.plan.id) == nil)
            var other = rival
            other.plan.engine = .hostMaintenance
            _ = try await scene.store.commit(other)
        }
    }

    @Test("without the lease nothing is written", arguments: StoreImplementation.all)
    func leases(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease(seconds: 10)
            let vm = try await scene.createVM("web")
            let directive = Directive.allocate(scene.allocate(vm, on: try await scene.host()))
            let planned = try await scene.planned([[directive]], lease: lease)
            let position = try await scene.feedPosition()
            var strangers = [planned, planned, planned]
            strangers[0].lease.token += 1
            strangers[1].lease.cell = "none"
            strangers[2].plan.cell = "none"
            for (index, stranger) in strangers.enumerated() {
                let cell = index == 0 ? "a" : "none"
                await #expect(throws: StoreError.leaseLost(cell: cell)) {
                    try await scene.store.commit(stranger)
                }
            }
            try await scene.advance(10)
            await #expect(throws: StoreError.leaseLost(cell: "a")) { try await scene.store.commit(planned) }
            #expect(try await scene.feed(after: position, limit: 9).entries.isEmpty)
            #expect(try await scene.store.allocations(.live).isEmpty)
            #expect(try await scene.store.plan(planned.plan.id) == nil)
        }
    }

    @Test("a host's assignment is what agents are told", arguments: StoreImplementation.all)
    func assignments(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (first, second) = (
                try await scene.place("v1", lease: lease), try await scene.place("v2", lease: lease)
            )
            try await scene.report([scene.part(first.id, .stopped)], sequence: 1)
            let ids = try await scene.store.hosts(.all).map(\.id)
            let records = try await scene.store.assignments(hosts: ids + [scene.ids.id()], known: [:])
            #expect(records.map(\.host) == ids.sorted())
            let record = try #require(records.first { $0.name == "h1" })
            #expect(record.allocations.map(\.id) == [second.id])
            #expect(record.generation == Generation(epoch: 1, number: 3))
            #expect(records.first { $0.name == "h2" }?.allocations.isEmpty == true)
            let numbers = Dictionary(uniqueKeysWithValues: records.map { ($0.host, $0.generation.number) })
            #expect(try await scene.store.assignments(hosts: ids, known: numbers).isEmpty)
            #expect(
                try await scene.store.assignments(hosts: ids, known: [record.host: 2]).map(\.host)
                    == ids.sorted(), "what is older, and what is not named, is told")
        }
    }

    @Test("agents are told what reserved and active parts run", arguments: StoreImplementation.all)
    func tasks(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let run = RunSpec(
                command: ["sh", "-c", "echo \"$A\""], env: ["A": "b|c\n"], workingDirectory: "x")
            let image = ImageSpec(source: "/srv/images/web.tar", sha256: String(repeating: "a", count: 64))
            func place(_ name: String, _ spec: VMSpec) async throws -> ID<Allocation> {
                let vm = try await scene.createVM(name, spec: spec)
                let directive = scene.allocate(vm, on: try await scene.host())
                try await scene.commit([[.allocate(directive)]], lease: lease)
                return directive.allocation.id
            }
            func told() async throws -> [ID<Allocation>: PartTask] {
                try #require(
                    try await scene.store.assignments(hosts: [try await scene.host().id], known: [:]).first
                ).tasks
            }
            let both = try await place("v1", VMSpec(run: run, image: image))
            let runs = try await place("v2", VMSpec(run: run))
            _ = try await place("v3", VMSpec())
            let expected = [both: PartTask(run: run, image: image), runs: PartTask(run: run)]
            #expect(try await told() == expected)
            try await scene.report([scene.part(both, .running)], sequence: 1)
            #expect(try await told() == expected)
            try await scene.commit([[scene.release(both)]], lease: lease)
            #expect(try await told() == [runs: PartTask(run: run)])
        }
    }
}
