import AgentProtocol
import Fleet
import Foundation
import Logging
import Store
import Testing

@testable import Control

/// A pipeline with training jobs, and an agent that does as it is told.
@Suite struct TrainingPipelineTests {
    private static let context = WriteContext(actor: "user/ann", verb: "create")
    /// Twice the devices, half the time.
    private static let profile = [1, 2, 4].map {
        TrainingProfilePoint(placement: [$0], plan: "ga", secondsPerStep: 8 / Double($0))
    }

    private static func job(_ devices: Int, _ class: TrainingClass? = nil) -> TrainingJobSpec {
        TrainingJobSpec(
            cell: "a", pool: "p", profile: profile, steps: 100_000, devices: devices, deviceModel: "A100",
            class: `class`, run: RunSpec(command: ["train"]),
            checkpoint: CheckpointSpec(signal: .user1, graceSeconds: 7))
    }

    /// One host with four devices.
    private final class World {
        let clock = FixtureClock()
        let ids = CountedIDs()
        let store: MemoryStore
        let time: Timekeeper
        private var session: ID<AgentSession>?
        private var sequence = 0
        /// Steps that jobs told when they were asked to end.
        var kept: [String: Int] = [:]
        /// Jobs whose ranks end by themselves, with their exit code.
        var ending: [String: Int] = [:]
        /// The same, for ranks that run in a plan.
        var endingPlans: [String: Int] = [:]
        /// Milliseconds of a step that the first ranks of jobs tell.
        var paces: [String: Double] = [:]

        init(quota: Int? = nil) async throws {
            let clock = clock
            time = Timekeeper(
                now: { clock.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(2))) })
            store = MemoryStore(
                now: { clock.now }, pause: { try await Task.sleep(for: min($0, .milliseconds(2))) })
            try await create(.cell, "a", CellSpec())
            try await create(
                .pool, "p",
                PoolSpec(
                    cell: "a", admits: [.training],
                    training: TrainingRules(gatePerMille: 0, restartSeconds: 1)))
            try await create(.project, "team", ProjectSpec(quota: Quota(devices: quota)))
            try await store.createJoinToken(
                JoinToken(secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
                context: TrainingPipelineTests.context)
            let session = try await store.join(
                JoinSpending(
                    tokenHash: "t", session: ids.id(), name: "s", substrate: "simulated", hosts: ["h1"],
                    credentialHash: "c"))
            let devices = (0..<4).map { Device(uuid: "GPU-\($0)", model: "A100", memoryMiB: 81_920) }
            let inventory = HostInventory(
                capacity: Resources(milliCPU: 16_000, memoryMiB: 65_536), devices: devices,
                substrate: "simulated")
            _ = try await store.hello(
                SessionHello(
                    session: session,
                    hosts: [HostHello(name: "h1", inventory: inventory, generation: nil, parts: [])],
                    ids: ids, terms: .standard))
            self.session = session
        }

        func create(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
            _ = try await store.create(
                [
                    DocumentDraft(
                        uid: ids.id(), kind: kind, project: kind.isTenant ? "team" : nil, name: name,
                        finalizers: kind.isTenant ? [Finalizer.allocations] : [],
                        spec: try DocumentJSON.encode(spec))
                ], context: TrainingPipelineTests.context)
        }

        func status(_ name: String) async throws -> TrainingJobStatus? {
            guard let found = try await store.document(.trainingJob, project: "team", name: name) else {
                return nil
            }
            return found.status == "{}"
                ? TrainingJobStatus() : try DocumentJSON.decode(TrainingJobStatus.self, from: found.status)
        }

        /// Does what the ledger asks the agent for, and lets some time pass.
        func act() async throws {
            let session = try #require(session)
            var parts: [PartReport] = []
            for allocation in try await store.allocations(.live) {
                func report(_ state: PartReport.State, _ code: Int? = nil) {
                    parts.append(
                        PartReport(
                            host: "h1", allocation: allocation.id,
                            generation: Generation(epoch: 1, number: 1), state: state, exitCode: code))
                }
                let name = allocation.workload.name
                switch allocation.state {
                case .reserved: report(.running)
                case .releasing:
                    let step = kept[name] ?? 0
                    try await store.takeProgress(
                        [PartProgress(allocation: allocation.id, step: step, checkpointStep: step)],
                        session: session)
                    report(.stopped, 0)
                case .active:
                    let env = allocation.task?.run?.env ?? [:]
                    if let code = ending[name] ?? env["BASALT_PLAN"].flatMap({ endingPlans[$0] }) {
                        report(.failed, code)
                    } else if let pace = paces[name], env["RANK"] == "0" {
                        try await store.takeProgress(
                            [
                                PartProgress(
                                    allocation: allocation.id, step: sequence + 1, checkpointStep: 0,
                                    iterationMilliseconds: pace)
                            ], session: session)
                    }
                case .released: continue
                }
            }
            sequence += 1
            _ = try await store.report(
                SessionReport(
                    session: session, incarnation: 1, sequence: sequence, parts: parts, unreachable: []))
            clock.advance(1)
        }

        func until(_ what: Comment, _ holds: () async throws -> Bool) async throws {
            for _ in 0..<5000 {
                if try await holds() { return }
                try await act()
                try await Task.sleep(for: .milliseconds(2))
            }
            Issue.record(what)
        }

        /// Runs a pipeline of its own beside `body`.
        func run(_ holder: String = "c1", _ body: () async throws -> Void) async throws {
            let lease = try #require(
                try await store.acquireLease(cell: "a", holder: holder, duration: .seconds(100_000)))
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let hub = FeedHub(store: store, time: time, logger: logger)
            let pipeline = CellPipeline(
                lease: lease, store: store, hub: hub, ids: ids, time: time, limits: CellLimits(),
                logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await hub.run() }
                group.addTask { try await pipeline.run() }
                try await body()
                group.cancelAll()
                while (try? await group.next()) != nil {}  // why: cancelled is how they end
            }
            try await store.releaseLease(lease)
        }

        func check() async throws {
            let snapshot = try await FleetSnapshot.load(from: store)
            let report = CheckReport(snapshot)
            #expect(report.violations.isEmpty, "\(report.violations)")
        }
    }

    private static func holds(_ status: TrainingJobStatus?, _ devices: Int) -> Bool {
        status?.state == .running && status?.shape?.placement == [devices]
    }

    @Test func aGuaranteedJobTakesWhatAnotherGivesUpAndGivesItBack() async throws {
        let world = try await World()
        world.kept = ["low": 40]
        try await world.run {
            try await world.create(.trainingJob, "low", Self.job(4))
            try await world.until("low runs on all") { Self.holds(try await world.status("low"), 4) }
            try await world.create(.trainingJob, "high", Self.job(2, .guaranteed))
            try await world.until("both run") {
                let (low, high) = (try await world.status("low"), try await world.status("high"))
                return high?.state == .running && low?.state == .running
            }
            let (low, high) = (try await world.status("low"), try await world.status("high"))
            #expect(low?.checkpointStep == 40 && (low?.reconfigurations ?? 0) >= 1 && low?.restarts == 0)
            #expect((high?.shape?.secondsPerStep ?? 9) <= 4)
            // What the agent is told: every rank its own part, device and number.
            let live = try await world.store.allocations(.live)
            let ranks = live.filter { $0.workload.name == "high" }.compactMap { $0.task?.run?.env?["RANK"] }
            #expect(ranks.sorted() == (0..<(high?.parts.count ?? 0)).map(String.init))
            #expect(live.allSatisfy { $0.devices.count == 1 && $0.onPartition == .stop })
            #expect(live.allSatisfy { $0.task?.stop == StopRequest(signal: .user1, graceSeconds: 7) })
            #expect(live.allSatisfy { $0.task?.run?.env?["CUDA_VISIBLE_DEVICES"] == $0.devices[0] })

            world.ending = ["high": 0]
            try await world.until("high is done") { try await world.status("high")?.state == .succeeded }
            try await world.until("low has all again") { Self.holds(try await world.status("low"), 4) }
        }
        try await world.check()
    }

    @Test func aControllerThatTakesOverGoesOn() async throws {
        let world = try await World()
        world.kept = ["job": 10]
        try await world.run("c1") {
            try await world.create(.trainingJob, "job", Self.job(4))
            try await world.until("it runs") { Self.holds(try await world.status("job"), 4) }
        }
        let before = try await world.status("job")
        // While nobody plans, its ranks end; the next controller has not seen it.
        world.ending = ["job": 0]
        try await world.act()
        world.ending = [:]
        try await world.run("c2") {
            try await world.until("it is done") { try await world.status("job")?.state == .succeeded }
        }
        #expect(before?.restarts == 0)
        #expect(try await world.store.allocations(.live).isEmpty)
        try await world.check()
    }

    @Test func ranksThatFailAreStartedAgainAndAtLastNot() async throws {
        let world = try await World()
        var spec = Self.job(2)
        spec.maxFailures = 2
        world.ending = ["job": 3]
        try await world.run {
            try await world.create(.trainingJob, "job", spec)
            try await world.until("it has failed") { try await world.status("job")?.state == .failed }
        }
        let status = try #require(try await world.status("job"))
        #expect(status.failures == 3 && status.restarts == 3 && status.parts.isEmpty)
        #expect(try await world.store.allocations(.live).isEmpty)
        try await world.check()
    }

    @Test func aWaitingJobSaysWhyInNumbers() async throws {
        let world = try await World(quota: 4)
        try await world.run {
            try await world.create(.trainingJob, "first", Self.job(4, .guaranteed))
            try await world.until("it runs") { try await world.status("first")?.state == .running }
            try await world.create(.trainingJob, "second", Self.job(4, .guaranteed))
            try await world.until("it waits for a reason") {
                try await world.status("second")?.wait?.reason == .waitingForQuota
            }
            var huge = Self.job(4)
            huge.deviceModel = "H100"
            try await world.create(.trainingJob, "nowhere", huge)
            try await world.until("it is told that there is no such device") {
                try await world.status("nowhere")?.wait?.reason == .noFeasiblePlan
            }
            _ = try await world.store.delete(
                .trainingJob, project: "team", name: "first", precondition: .none,
                context: WriteContext(actor: "user/ann", verb: "delete"))
            try await world.until("the other follows") {
                try await world.status("second")?.state == .running
            }
            #expect(try await world.status("first") == nil)
            #expect(try await world.status("second")?.wait == nil)
        }
        try await world.check()
    }

    @Test func measuredStepsChangeWhatIsPredicted() async throws {
        let world = try await World()
        // Half as fast as the profile says, on one device as on four.
        world.paces = ["slow": 4000]
        try await world.run {
            try await world.create(.trainingJob, "slow", Self.job(4))
            try await world.until("its prediction is right") {
                try await world.status("slow")?.calibration?.scale == 2
            }
        }
        let calibration = try #require(try await world.status("slow")?.calibration)
        #expect(calibration.shapes == 1 && calibration.fitted == ["scale"])
        #expect(calibration.errorBefore == 0.5 && calibration.errorAfter == 0)
        try await world.check()
    }

    @Test func whatWasLearntOutlivesTheController() async throws {
        let world = try await World()
        // Of a published model the fastest plan of four devices has too little memory.
        var spec = TrainingJobSpec(
            cell: "a", pool: "p", model: .bert, steps: 100_000, devices: 4, deviceModel: "A100",
            run: RunSpec(command: ["train"]))
        spec.maxFailures = 100
        let spec4 = spec
        var first = ""
        try await world.run("c1") {
            try await world.create(.trainingJob, "big", spec4)
            try await world.until("it runs") { try await world.status("big")?.state == .running }
            first = try #require(try await world.status("big")?.shape?.plan)
            world.endingPlans = [first: TrainingLimit.outOfMemoryExit]
            try await world.until("it runs as something else") {
                guard let status = try await world.status("big") else { return false }
                return status.state == .running && status.shape?.plan != first
            }
            #expect(try await world.status("big")?.ruledOut?.map(\.plan).contains(first) == true)
            _ = try await world.store.delete(
                .trainingJob, project: "team", name: "big", precondition: .none,
                context: WriteContext(actor: "user/ann", verb: "delete"))
            try await world.until("it is gone") { try await world.status("big") == nil }
        }
        let kept = try #require(try await world.store.trainingMemory(cell: "a"))
        #expect(kept.failures.map(\.plan).contains(first))
        #expect(kept.failures.first?.deviceModel == "A100" && kept.failures.first?.model == .bert)
        #expect(kept.used.map(\.project) == ["team"] && (kept.used.first?.deviceSeconds ?? 0) > 0)
        // Another controller, another job of the model.
        try await world.run("c2") {
            try await world.create(.trainingJob, "next", spec4)
            try await world.until("it runs") { try await world.status("next")?.state == .running }
        }
        let next = try #require(try await world.status("next"))
        #expect(next.shape?.plan != first && next.failures == 0)
        try await world.check()
    }

    @Test func aWaitingJobHasAPlaceATimeAndACure() async throws {
        let world = try await World()
        let explainer = TrainingExplainer(store: world.store, supervisor: nil)
        // Nobody gives anything up: both guaranteed, in one shape.
        func rigid(_ devices: Int) -> TrainingJobSpec {
            var spec = Self.job(devices, .guaranteed)
            spec.profile = [TrainingProfilePoint(placement: [devices], plan: "ga", secondsPerStep: 2)]
            return spec
        }
        try await world.run {
            try await world.create(.trainingJob, "first", rigid(4))
            try await world.until("it runs") { try await world.status("first")?.state == .running }
            try await world.create(.trainingJob, "second", rigid(3))
            try await world.create(.trainingJob, "third", rigid(4))
            try await world.until("both wait") {
                let waits = [try await world.status("second")?.wait, try await world.status("third")?.wait]
                return waits.allSatisfy { $0 != nil }
            }
        }
        func answer(_ name: String) async throws -> TrainingExplainer.Answer? {
            let found = try await world.store.document(.trainingJob, project: "team", name: name)
            return try await explainer.answer(for: try #require(found))
        }
        #expect(try await answer("first") == nil)
        let second = try #require(try await answer("second"))
        let third = try #require(try await answer("third"))
        #expect(Set([second.queuePosition, third.queuePosition]) == [1, 2])
        let starts = [second.startsAt, third.startsAt].compactMap { $0 }
        #expect(starts.count == 2 && starts.allSatisfy { $0 > world.clock.now })
        #expect(second.change?.kind == .hosts && second.change?.count == 1)
        #expect(second.change?.devicesPerHost == 4)

        // With two more hosts both start at once, and so does another one.
        let more = TrainingAddition(
            hosts: 3, jobs: [.init(project: "team", name: "fourth", spec: rigid(4))])
        let preview = try #require(try await explainer.preview(ofPool: "p", with: more))
        #expect(preview.policy == "rubick" && preview.jobs.map(\.name).count == 4)
        for job in preview.jobs where job.name != "first" {
            #expect(job.then?.reason == nil && job.then?.startsAt == preview.jobs[0].then?.startsAt)
            #expect((job.now == nil) == (job.isNew == true))
        }
        #expect(try await explainer.preview(ofPool: "nowhere", with: TrainingAddition()) == nil)
    }
}
