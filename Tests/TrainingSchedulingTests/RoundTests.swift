import Testing
import TrainingScheduling

struct RoundTests {
    private let policy = RubickPolicy()
    private typealias Fixture = RoundFixture

    private func decide(_ state: RoundState, _ policy: RubickPolicy = RubickPolicy()) -> RoundDecision {
        let decision = policy.round(state)
        #expect(Fixture.defects(state, decision) == [])
        return decision
    }

    @Test func anEmptyCellStartsAJobAndAnEmptyQueueNothing() {
        let room = FreeRoom(Fixture.nodes(2))
        let decision = decide(RoundState(now: 0, room: room, jobs: [Fixture.pending(Fixture.job(1))]))
        #expect(decision.changes.count == 1 && decision.changes[0].cause == .admitted)
        #expect(decision.waits.isEmpty)
        #expect(decide(RoundState(now: 0, room: room, jobs: [])) == RoundDecision())
    }

    @Test func aJobThatFitsNowhereSaysSo() throws {
        let room = FreeRoom(Fixture.nodes(1, gpus: 4))
        let job = Fixture.job(1, gpus: 16, curve: Fixture.curve(1, gpus: [16]))
        let wait = try #require(
            decide(RoundState(now: 0, room: room, jobs: [Fixture.pending(job)])).waits.first)
        #expect(wait.token == .noFeasiblePlan && wait.shortfallGPUs == 12 && wait.needs == [8, 8])
    }

    /// Enough GPUs, but on two nodes.
    @Test func fragmentsAreNamedWithTheShapeThatIsMissing() throws {
        var room = FreeRoom(Fixture.nodes(2))
        let small = Fixture.job(1, gpus: 4, curve: Fixture.curve(1, gpus: [4]))
        var first = try Fixture.running(small, gpus: 4, in: &room, held: 0)
        let other = Fixture.job(2, gpus: 4, curve: Fixture.curve(1, gpus: [4]))
        let grant = Grant(shares: [.init(node: 1, gpus: 4)], point: other.submitted)
        room.take(grant)
        var second = JobState(other)
        second.grant = grant
        second.phase = .running
        first.phase = .starting(until: 50)
        let large = Fixture.job(3, gpus: 8, curve: Fixture.curve(1, gpus: [8]))
        let state = RoundState(now: 1, room: room, jobs: [first, second, Fixture.pending(large)])
        var policy = policy
        policy.settings.reservations = 0
        let wait = try #require(decide(state, policy).waits.first)
        #expect(wait.token == .fragmentedNeed && wait.needs == [8] && wait.shortfallGPUs == 0)
        // With a reservation it knows when.
        let kept = try #require(decide(state).waits.first)
        #expect(kept.token == .reserved && (kept.startsAt ?? 0) > 1)
    }

    @Test func whoEndsBeforeAReservationFillsItAndOthersDoNot() throws {
        var room = FreeRoom(Fixture.nodes(2))
        let long = Fixture.job(1, gpus: 8, steps: 5000, curve: Fixture.curve(1, gpus: [8]))
        let running = try Fixture.running(long, gpus: 8, in: &room, held: 10)
        let gang = Fixture.job(2, gpus: 16, steps: 10, curve: Fixture.curve(1, gpus: [16]))
        let brief = Fixture.job(3, gpus: 8, steps: 20, curve: Fixture.curve(1, gpus: [8]))
        let endless = Fixture.job(4, gpus: 8, steps: 1e6, curve: Fixture.curve(1, gpus: [8]))
        var waiting = Fixture.pending(gang, since: -1e6)
        waiting.pendingSince = -1e6
        let jobs = [running, waiting, Fixture.pending(brief), Fixture.pending(endless)]
        let decision = decide(RoundState(now: 0, room: room, jobs: jobs))
        #expect(decision.changes.map(\.job) == [3] && decision.changes[0].cause == .backfilled)
        #expect(decision.waits.first { $0.job == 2 }?.token == .reserved)
        #expect(decision.waits.first { $0.job == 4 } != nil)
    }

    @Test func bestEffortShrinksBeforeItIsEvicted() throws {
        var room = FreeRoom(Fixture.nodes(1))
        let elastic = Fixture.job(1, gpus: 8, steps: 1e5, curve: Fixture.curve(1, gpus: [2, 4, 8]))
        let running = try Fixture.running(elastic, gpus: 8, in: &room)
        let urgent = Fixture.job(2, gpus: 4, guaranteed: true, curve: Fixture.curve(1, gpus: [4]))
        let decision = decide(RoundState(now: 10, room: room, jobs: [running, Fixture.pending(urgent)]))
        let shrunk = try #require(decision.changes.first { $0.job == 1 })
        #expect(shrunk.cause == .shrunk && shrunk.to?.gpus == 4 && shrunk.beneficiary == 2)
        #expect(decision.changes.first { $0.job == 2 }?.to?.gpus == 4)
        // A job that was reshaped lately cannot shrink: it gives way altogether.
        var lately = running
        lately.heldSeconds = 100
        let evicted = decide(RoundState(now: 10, room: room, jobs: [lately, Fixture.pending(urgent)]))
        #expect(evicted.changes.first { $0.job == 1 }?.cause == .evicted)
    }

    @Test func aGuaranteedJobIsNeverEvictedNorSlowed() throws {
        var room = FreeRoom(Fixture.nodes(1))
        let held = Fixture.job(1, gpus: 8, steps: 1e5, guaranteed: true)
        let running = try Fixture.running(held, gpus: 8, in: &room)
        let urgent = Fixture.job(2, gpus: 4, guaranteed: true, curve: Fixture.curve(1, gpus: [4]))
        let state = RoundState(now: 10, room: room, jobs: [running, Fixture.pending(urgent)])
        #expect(decide(state).changes.isEmpty)
    }

    @Test func freeRoomMakesARunningJobFasterWhenTheGateLetsIt() throws {
        var room = FreeRoom(Fixture.nodes(1))
        let job = Fixture.job(1, gpus: 4, steps: 1e5)
        let running = try Fixture.running(job, gpus: 4, in: &room)
        let grown = decide(RoundState(now: 10, room: room, jobs: [running]))
        #expect(grown.changes.first?.cause == .expanded && grown.changes.first?.to?.gpus == 8)
        var young = running
        young.heldSeconds = 2599
        #expect(decide(RoundState(now: 10, room: room, jobs: [young])).changes.isEmpty)
        young.heldSeconds = 2600
        #expect(decide(RoundState(now: 10, room: room, jobs: [young])).changes.count == 1)
        // Nothing is worth a restart shortly before the end.
        var ending = running
        ending.remaining = 10
        #expect(decide(RoundState(now: 10, room: room, jobs: [ending])).changes.isEmpty)
    }

    @Test func quotasHoldAndBorrowWhatIsFreeAbove() throws {
        let tree = [
            Tenant(name: "all", quotaGPUs: 12), Tenant(name: "a", parent: 0, quotaGPUs: 4, borrowGPUs: 4),
            Tenant(name: "b", parent: 0, quotaGPUs: 8),
        ]
        let only = Fixture.curve(1, gpus: [4])
        let jobs = (1...4).map { Fixture.pending(Fixture.job($0, guaranteed: true, tenant: 1, curve: only)) }
        let state = RoundState(now: 0, room: FreeRoom(Fixture.nodes(4)), jobs: jobs, tenants: tree)
        let decision = decide(state)
        #expect(decision.changes.count == 2)
        #expect(decision.waits.map(\.token) == [.waitingForQuota, .waitingForQuota])
        #expect(decision.waits.map(\.shortfallGPUs) == [4, 4])
        // What the other tenant holds cannot be borrowed.
        let others = (11...12).map {
            Fixture.pending(Fixture.job($0, guaranteed: true, tenant: 2, curve: only))
        }
        var used = tree
        used[1].decayedUsage = 1
        let shared = decide(
            RoundState(now: 0, room: state.room, jobs: Array(jobs[..<2]) + others, tenants: used))
        #expect(shared.changes.map(\.job).sorted() == [1, 11, 12])
        let huge = Fixture.job(20, gpus: 16, guaranteed: true, tenant: 1, curve: Fixture.curve(1, gpus: [16]))
        let refused = decide(
            RoundState(now: 0, room: state.room, jobs: [Fixture.pending(huge)], tenants: tree))
        #expect(refused.waits.first?.token == .exceedsMaxQuota && refused.waits.first?.shortfallGPUs == 8)
    }

    @Test func whoUsedLessComesFirst() throws {
        var tenants = [Tenant(name: "a", quotaGPUs: 8), Tenant(name: "b", quotaGPUs: 8)]
        tenants[0].use(gpuSeconds: 1000, during: 0)
        let only = Fixture.curve(1, gpus: [8])
        let jobs = [
            Fixture.pending(Fixture.job(1, gpus: 8, steps: 1, tenant: 0, curve: only)),
            Fixture.pending(Fixture.job(2, gpus: 8, steps: 9999, tenant: 1, curve: only)),
        ]
        var policy = policy
        policy.settings.reservations = 0
        let room = FreeRoom(Fixture.nodes(1))
        let state = RoundState(now: 0, room: room, jobs: jobs, tenants: tenants)
        #expect(decide(state, policy).changes.map(\.job) == [2])
        // Weeks later little of it is left, and with ten times the weight less than of the other's.
        tenants[0].use(gpuSeconds: 0, during: 10 * Tenant.halfLife)
        #expect(tenants[0].decayedUsage < 1)
    }

    @Test func anOldJobComesBeforeAllThatCameLater() {
        let only = Fixture.curve(1, gpus: [8])
        let old = Fixture.pending(Fixture.job(1, gpus: 8, steps: 1e6, curve: only), since: -50_000)
        let brief = Fixture.pending(Fixture.job(2, gpus: 8, steps: 1, curve: only))
        let state = RoundState(now: 0, room: FreeRoom(Fixture.nodes(1)), jobs: [old, brief])
        #expect(decide(state).changes.map(\.job) == [1])
        var young = old
        young.pendingSince = 0
        #expect(decide(RoundState(now: 0, room: state.room, jobs: [young, brief])).changes.map(\.job) == [2])
    }

    @Test func aLostNodeSendsItsJobsBackEvenWhileTheyStart() throws {
        var room = FreeRoom(Fixture.nodes(2))
        let only = Fixture.curve(1, gpus: [8])
        var first = try Fixture.running(Fixture.job(1, gpus: 8, curve: only), gpus: 8, in: &room)
        var second = try Fixture.running(Fixture.job(2, gpus: 8, curve: only), gpus: 8, in: &room)
        first.phase = .starting(until: 100)
        second.phase = .running
        room.setUp(0, false)
        let decision = decide(RoundState(now: 1, room: room, jobs: [first, second]))
        #expect(decision.changes.map(\.cause) == [.nodeLost] && decision.changes[0].to == nil)
        #expect(room.freeGPUs == 0 && room.totalGPUs == 8)
    }

    @Test func gangsStayInARackWhereOneHasRoom() throws {
        let room = FreeRoom(Fixture.nodes(4, racks: 2))
        let point = SpeedPoint(placement: [8, 8], plan: "p", secondsPerStep: 1)
        #expect(room.place(point)?.shares.map(\.node) == [0, 2])
        var taken = room
        taken.take(Grant(shares: [.init(node: 0, gpus: 1), .init(node: 3, gpus: 1)], point: point))
        #expect(taken.place(point)?.shares.map(\.node) == [1, 2])
        let three = SpeedPoint(placement: [8, 8, 8], plan: "p", secondsPerStep: 1)
        #expect(room.place(three)?.shares.count == 3 && taken.place(three) == nil)
    }

    @Test func threadsAndMemoryAreTakenOnTheSameNodes() {
        let nodes = [
            TrainingNode(gpus: 8, threads: 16, memoryMiB: 1000),
            TrainingNode(gpus: 8, threads: 64, memoryMiB: 100),
        ]
        let room = FreeRoom(nodes)
        func point(_ threads: Int, _ memory: Int) -> SpeedPoint {
            SpeedPoint(
                placement: [4], plan: "p", secondsPerStep: 1, threadsPerGPU: threads, memoryPerGPU: memory)
        }
        #expect(room.place(point(4, 100))?.shares.first?.node == 0)
        #expect(room.place(point(8, 10))?.shares.first?.node == 1)
        #expect(room.place(point(8, 100)) == nil)
    }

    /// A thousand cells with jobs in all phases: what is decided can be carried out, and is decided again.
    @Test func randomCellsAreDecidedSoundly() throws {
        for seed in 0..<1000 {
            var random = SplitMix64(seed: UInt64(seed))
            let state = try Self.randomState(&random)
            var policy = policy
            policy.settings.gate = [0, 0.5, 0.97][Int(random.next() % 3)]
            let decision = policy.round(state)
            #expect(Fixture.defects(state, decision) == [], "seed \(seed)")
            #expect(policy.round(state) == decision, "seed \(seed)")
        }
    }

    private static func randomState(_ random: inout SplitMix64) throws -> RoundState {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        var room = FreeRoom(Fixture.nodes(1 + below(4), racks: 1 + below(2)))
        let counts = [1, 2, 4, 8, 16]
        var jobs: [JobState] = []
        for id in 0..<below(12) {
            let most = below(5)
            let curve = Fixture.curve(
                0.5 + random.unit(), power: random.unit(), gpus: Array(counts[below(most + 1)...most]))
            let job = Fixture.job(
                id, gpus: curve.points[below(curve.points.count)].gpus, steps: 1 + 1e4 * random.unit(),
                guaranteed: below(2) == 0, tenant: below(2), submittedAt: 1000 * random.unit(), curve: curve)
            var state = JobState(job)
            if below(2) == 0, let point = job.options.last, let grant = room.place(point) {
                room.take(grant)
                state.grant = grant
                state.phase = below(4) == 0 ? .starting(until: 5000 + 100 * random.unit()) : .running
                state.heldSeconds = 5000 * random.unit()
                state.restarts = below(3)
                state.firstStart = 1000
            }
            jobs.append(state)
        }
        if below(5) == 0 { room.setUp(0, false) }
        let tenants = [
            Tenant(name: "a", quotaGPUs: 8 * below(5)), Tenant(name: "b", quotaGPUs: 64, decayedUsage: 10),
        ]
        return RoundState(now: 5000, room: room, jobs: jobs, tenants: tenants)
    }
}
