import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Workloads of several parts", .postgresServer)
struct PartedTests {
    @Test("a group of parts is placed whole, each with its own task", arguments: StoreImplementation.all)
    func whole(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let job = try await scene.createJob("train")
            let parts = try await scene.parts(of: job, on: ["h1", "h2"])
            let outcome = try await scene.commitTraining([parts.map(Directive.allocate)], lease: lease)
            #expect(outcome.refusals.isEmpty)
            let stored = try await scene.store.allocations(.workloads([job.metadata.uid]))
            #expect(stored.map(\.workload.part).sorted() == ["worker-0", "worker-1"])
            #expect(stored.map(\.task).allSatisfy { $0 != nil })
            #expect(stored.map(\.workload.kind) == [.trainingJob, .trainingJob])
            // Guaranteed CPU, whatever the class: only VMs share.
            #expect(try await scene.host().room.guaranteedMilliCPU == 1000)
            #expect(try await scene.usage(.milliCPU) == 2000)
            #expect(try await scene.usage(.devices) == 2)
            let hosts = try await scene.store.hosts(.all).map(\.id)
            let told = try await scene.store.assignments(hosts: hosts, known: [:])
            let tasks = told.flatMap { $0.tasks.values }
            #expect(Set(tasks.compactMap { $0.run?.env?["RANK"] }) == ["0", "1"])
            #expect(tasks.allSatisfy { $0.stop == StopRequest(signal: .user1, graceSeconds: 5) })
            #expect(try await scene.events(.scheduled, kind: .trainingJob).count == 2)
        }
    }

    @Test("a part that does not fit keeps all from being placed", arguments: StoreImplementation.all)
    func allOrNothing(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2, quota: Quota(devices: 1)) { scene in
            let lease = try await scene.lease()
            let job = try await scene.createJob("train")
            let parts = try await scene.parts(of: job, on: ["h1", "h2"])
            let outcome = try await scene.commitTraining([parts.map(Directive.allocate)], lease: lease)
            #expect(outcome.refusals == [GroupRefusal(group: 0, reason: .quotaExceeded, host: nil)])
            #expect(try await scene.store.allocations(.live).isEmpty)
            #expect(try await scene.usage(.devices) == 0)
            // The same part twice, and a part that is held already.
            let one = try await scene.commitTraining([[.allocate(parts[0])]], lease: lease)
            #expect(one.refusals.isEmpty)
            var again = parts[0]
            again.allocation.id = scene.ids.id()
            let twice = try await scene.commitTraining([[.allocate(again)]], lease: lease)
            #expect(twice.refusals.map(\.reason) == [.alreadyAllocated])
        }
    }

    @Test("how a part ended is kept, as its agent told it", arguments: StoreImplementation.all)
    func ends(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let job = try await scene.createJob("train")
            let parts = try await scene.parts(of: job, on: ["h1", "h2"])
            _ = try await scene.commitTraining([parts.map(Directive.allocate)], lease: lease)
            var done = scene.part(parts[0].allocation.id, .failed)
            done.exitCode = 0
            var crashed = scene.part(parts[1].allocation.id, .failed, host: "h2")
            crashed.exitCode = 7
            crashed.message = "ended"
            try await scene.report([done, crashed], sequence: 1)
            let ended = try await scene.store.allocations(.ids(parts.map(\.allocation.id)))
            #expect(ended.map(\.state) == [.released, .released])
            #expect(ended.map(\.end?.exitCode) == [0, 7])
            #expect(ended[1].end?.message == "ended, exit code 7")
            #expect(try await scene.usage(.devices) == 0)
        }
    }

    @Test(
        "a job waits for its parts before it goes, and holds its project", arguments: StoreImplementation.all)
    func deletion(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let job = try await scene.createJob("train")
            let parts = try await scene.parts(of: job, on: ["h1"])
            _ = try await scene.commitTraining([parts.map(Directive.allocate)], lease: lease)
            await #expect(throws: StoreError.self) { try await scene.delete(.project, "team") }
            await #expect(throws: StoreError.self) { try await scene.delete(.pool, "p") }
            let marked = try await scene.delete(.trainingJob, "train", project: "team")
            #expect(!marked.removed)
            #expect(try await scene.store.finalize([job.metadata.uid], lease: lease).isEmpty)
            try await scene.report([scene.part(parts[0].allocation.id, .stopped)], sequence: 1)
            #expect(try await scene.store.finalize([job.metadata.uid], lease: lease) == [job.metadata.uid])
        }
    }

    @Test("how far parts are is kept, also beyond their end", arguments: StoreImplementation.all)
    func progress(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let job = try await scene.createJob("train")
            let part = try await scene.parts(of: job, on: ["h1"])[0]
            _ = try await scene.commitTraining([[.allocate(part)]], lease: lease)
            let id = part.allocation.id
            let session = try #require(try await scene.host().session)
            func tell(_ step: Int, _ checkpoint: Int, _ iteration: Double? = nil) async throws {
                try await scene.store.takeProgress(
                    [
                        PartProgress(
                            allocation: id, step: step, checkpointStep: checkpoint,
                            iterationMilliseconds: iteration)
                    ], session: session)
            }
            #expect(try await scene.store.progress(of: [id]).isEmpty)
            try await tell(10, 10, 99.5)
            try await scene.advance(1)
            // Started again from an earlier step: what is on disk stays there.
            try await tell(4, 4)
            let told = TrainingProgress(
                step: 4, checkpointStep: 10, iterationMilliseconds: 99.5,
                at: Scene.start.advanced(by: .seconds(1)))
            #expect(try await scene.store.progress(of: [id, scene.ids.id()]) == [id: told])
            // Of other sessions' parts, and of none, nothing is taken.
            let stranger = try await scene.join("s2", pattern: "x*")
            try await scene.store.takeProgress(
                [PartProgress(allocation: id, step: 99, checkpointStep: 99)], session: stranger)
            try await scene.store.takeProgress(
                [PartProgress(allocation: scene.ids.id(), step: 1, checkpointStep: 1)], session: session)
            #expect(try await scene.store.progress(of: [id]) == [id: told])
            try await scene.report([scene.part(id, .stopped)], sequence: 1)
            #expect(try await scene.store.progress(of: [id]) == [id: told])
        }
    }

    @Test("what routers see is kept, the last of each", arguments: StoreImplementation.all)
    func reports(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            func make(_ name: String) async throws -> ID<Document> {
                try await scene.create(
                    .servingDeployment, name, project: "team",
                    spec: ServingDeploymentSpec(cell: "a", model: "m")
                ).metadata.uid
            }
            let chat = try await make("chat")
            let other = try await make("other")
            func report(_ router: String, _ requests: Int) -> ServingReport {
                ServingReport(
                    router: router, epoch: 1, version: 3, seconds: 10.5, requests: requests, failed: 1,
                    outputTokens: 64,
                    firstBytes: [Int](repeating: 2, count: ServingReport.firstByteBounds.count + 1))
            }
            #expect(try await scene.store.servingReports(of: [chat]).isEmpty)
            for (router, requests) in [("b", 1), ("a", 2), ("b", 3)] {
                try await scene.store.takeServing(report(router, requests), of: chat)
            }
            let first = try await scene.store.servingReports(of: [chat, other])
            #expect(
                first == [chat: [("a", 2), ("b", 3)].map { .init(report: report($0, $1), at: Scene.start) }])
            // Of nobody nothing is taken, and after an hour of silence nothing is told.
            try await scene.store.takeServing(report("a", 1), of: scene.ids.id())
            try await scene.advance(1800)
            try await scene.store.takeServing(report("b", 4), of: chat)
            try await scene.advance(1801)
            let later = try await scene.store.servingReports(of: [chat])
            #expect(later[chat]?.map(\.report) == [report("b", 4)])
        }
    }

    @Test("jobs and deployments are listed by their cell", arguments: StoreImplementation.all)
    func cells(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.createJob("train")
            try await scene.create(
                .servingDeployment, "chat", project: "team",
                spec: ServingDeploymentSpec(cell: "a", model: "m"))
            for kind in [Kind.trainingJob, .servingDeployment] {
                #expect(try await scene.list(ListQuery(kind: kind, cell: "a")).documents.count == 1)
                #expect(try await scene.list(ListQuery(kind: kind, cell: "b")).documents.isEmpty)
            }
            await #expect(throws: StoreError.self) {
                try await scene.create(
                    .servingDeployment, "else", project: "team",
                    spec: ServingDeploymentSpec(cell: "nowhere", model: "m"))
            }
        }
    }
}

extension Scene {
    @discardableResult
    func createJob(_ name: String) async throws -> Resource {
        try await create(
            .trainingJob, name, project: "team",
            spec: TrainingJobSpec(
                cell: "a", pool: "p", model: .bert, steps: 10, devices: 2, run: RunSpec(command: ["train"])),
            finalizers: [Finalizer.allocations])
    }

    /// A part on each host, with one of its devices.
    func parts(of job: Resource, on hosts: [String]) async throws -> [AllocateDirective] {
        var parts: [AllocateDirective] = []
        for (rank, name) in hosts.enumerated() {
            let host = try await host(name)
            let task = PartTask(
                run: RunSpec(command: ["train"], env: ["RANK": "\(rank)"]),
                stop: StopRequest(signal: .user1, graceSeconds: 5))
            let allocation = Allocation(
                id: ids.id(),
                workload: WorkloadReference(
                    kind: .trainingJob, uid: job.metadata.uid, project: "team", name: job.metadata.name,
                    part: "worker-\(rank)"),
                cell: host.cell, host: host.id, class: .standard,
                resources: Resources(milliCPU: 1000, memoryMiB: 1024), devices: ["GPU-\(name)-0"],
                onPartition: .stop, createdAt: Self.start, task: task)
            parts.append(
                AllocateDirective(
                    allocation: allocation, workloadGeneration: job.metadata.generation,
                    hostGeneration: host.generation, message: "on \(name)"))
        }
        return parts
    }

    func commitTraining(_ groups: [[Directive]], lease: CellLease) async throws -> CommitOutcome {
        let parent = try await store.planHead(cell: lease.cell, engine: .training)
        let plan = Plan(
            id: ids.id(), cell: lease.cell, engine: .training, parent: parent, inputsHash: "i", seed: 7,
            groups: groups.map { DirectiveGroup($0) },
            report: PlanReport(policy: "rubick", hosts: 1, placed: groups.count, unplaced: []),
            createdAt: Self.start)
        return try await store.commit(LedgerCommit(lease: lease, plan: plan, statuses: [:]))
    }
}
