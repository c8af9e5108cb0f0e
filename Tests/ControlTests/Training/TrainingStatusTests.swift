import Fleet
import Store
import Testing

@testable import Control

/// What a job's status makes of what the ledger says.
@Suite struct TrainingStatusTests {
    private static let now = Timestamp(seconds: 1_700_000_000)
    private static let shape = TrainingShape(placement: [2], plan: "ga", secondsPerStep: 1)
    private static let ids = CountedIDs()
    private static let spec = TrainingJobSpec(
        cell: "a", model: .bert, steps: 100, devices: 2, run: RunSpec(command: ["train"]), maxFailures: 1)

    private static func part(_ rank: Int, _ state: Allocation.State) -> PartView {
        let workload = WorkloadReference(
            kind: .trainingJob, uid: ids.id(), project: "team", name: "job", part: "worker-\(rank)")
        return PartView(
            allocation: Allocation(
                id: ids.id(), workload: workload, cell: "a", host: ids.id(), class: .standard,
                resources: Resources(milliCPU: 1000, memoryMiB: 64), state: state, createdAt: now),
            host: "h\(rank)", contact: .ready, isHeld: false)
    }

    private static func news(
        _ parts: [PartView], ends: [ID<Allocation>: TrainingPartEnd] = [:], progress: Int? = nil
    ) -> TrainingJobStatus.News {
        TrainingJobStatus.News(
            parts: parts, ends: ends, shape: shape,
            progress: progress.map {
                TrainingProgress(step: $0, checkpointStep: $0, iterationMilliseconds: 10, at: now)
            })
    }

    /// A job whose two ranks run.
    private static func running() -> (status: TrainingJobStatus, parts: [PartView]) {
        let parts = [part(0, .active), part(1, .active)]
        var status = TrainingJobStatus()
        _ = status.follow(news(parts), of: spec, now: now)
        return (status, parts)
    }

    private static func ends(
        _ parts: [PartView], _ codes: [Int?], asked: Bool = false
    ) -> [ID<Allocation>: TrainingPartEnd] {
        zip(parts, codes).reduce(into: [:]) {
            $0[$1.0.allocation.id] = TrainingPartEnd(exitCode: $1.1, wasAsked: asked, at: now)
        }
    }

    @Test func itRunsWhenAllRanksDo() {
        var status = TrainingJobStatus()
        _ = status.follow(
            Self.news([Self.part(0, .active), Self.part(1, .reserved)]), of: Self.spec, now: Self.now)
        #expect(status.state == .starting && status.runningAt == nil && status.shape == Self.shape)
        let (running, parts) = Self.running()
        #expect(running.state == .running && running.runningAt == Self.now)
        #expect(running.parts.map(\.name) == ["worker-0", "worker-1"])
        var again = running
        #expect(again.follow(Self.news(parts), of: Self.spec, now: Self.now.advanced(by: .seconds(9))) == nil)
        #expect(again == running)
    }

    @Test func ranksThatEndByThemselvesWithZeroAreDone() {
        var (status, parts) = Self.running()
        // One after the other: the first does not make the job fail.
        _ = status.follow(
            Self.news([parts[1]], ends: Self.ends(parts, [0])), of: Self.spec, now: Self.now)
        #expect(status.state == .running)
        let told = status.follow(
            Self.news([], ends: Self.ends(parts, [0, 0])), of: Self.spec, now: Self.now)
        #expect(status.state == .succeeded && told?.reason == .succeeded && status.stepsDone == 100)
        #expect(status.finishedAt == Self.now && status.parts.isEmpty && status.shape == nil)
        _ = status.follow(Self.news([]), of: Self.spec, now: Self.now)
        #expect(status.state == .succeeded)
    }

    @Test func aCheckpointBeforeTheEndIsNoEnd() {
        var (status, parts) = Self.running()
        var releasing = parts
        for index in releasing.indices { releasing[index].allocation.state = .releasing }
        _ = status.follow(Self.news(releasing), of: Self.spec, now: Self.now)
        #expect(status.state == .checkpointing)
        let told = status.follow(
            Self.news([], ends: Self.ends(parts, [0, 0], asked: true), progress: 40), of: Self.spec,
            now: Self.now)
        #expect(status.state == .pending && told?.reason == .checkpointed)
        #expect(status.stepsDone == 40 && status.reconfigurations == 1 && status.restarts == 0)
        // The next shape.
        _ = status.follow(Self.news([Self.part(0, .reserved)]), of: Self.spec, now: Self.now)
        #expect(status.state == .starting && status.parts.count == 1 && status.wait == nil)
    }

    @Test func aNewShapeBeforeTheOldEndIsWrittenDownCountsOnce() {
        var (status, parts) = Self.running()
        _ = status.follow(
            Self.news(
                [Self.part(0, .reserved)], ends: Self.ends(parts, [0, 0], asked: true), progress: 7),
            of: Self.spec, now: Self.now)
        #expect(status.state == .starting && status.reconfigurations == 1 && status.parts.count == 1)
    }

    @Test func aCrashedRankEndsTheOthersAndAfterTooManyTheJob() {
        var (status, parts) = Self.running()
        _ = status.follow(
            Self.news([parts[1]], ends: Self.ends(parts, [7])), of: Self.spec, now: Self.now)
        #expect(status.state == .failing)
        var ends = Self.ends(parts, [7])
        ends[parts[1].allocation.id] = TrainingPartEnd(exitCode: 143, wasAsked: true, at: Self.now)
        let told = status.follow(Self.news([], ends: ends), of: Self.spec, now: Self.now)
        #expect(told?.reason == .rankFailed && status.state == .pending)
        #expect(status.failures == 1 && status.restarts == 1 && status.reconfigurations == 0)
        let next = [Self.part(0, .active)]
        _ = status.follow(Self.news(next), of: Self.spec, now: Self.now)
        let last = status.follow(
            Self.news([], ends: Self.ends(next, [7])), of: Self.spec, now: Self.now)
        #expect(status.state == .failed && last?.reason == .failed)
    }

    @Test func aShapeThatRanOutOfMemoryIsRuledOutOnce() {
        var status = TrainingJobStatus()
        for _ in 0..<2 {
            let parts = [Self.part(0, .active), Self.part(1, .active)]
            _ = status.follow(Self.news(parts), of: Self.spec, now: Self.now)
            let told = status.follow(
                Self.news([], ends: Self.ends(parts, [TrainingLimit.outOfMemoryExit, 1])), of: Self.spec,
                now: Self.now)
            if status.failures == 1 { #expect(told?.message.contains("ran out of memory") == true) }
        }
        #expect(status.ruledOut == [Self.shape])
    }

    @Test func aCheckpointEndsARowOfFailures() {
        var (status, parts) = Self.running()
        _ = status.follow(Self.news([], ends: Self.ends(parts, [7, 7])), of: Self.spec, now: Self.now)
        #expect(status.failures == 1)
        _ = status.follow(Self.news([Self.part(0, .active)], progress: 5), of: Self.spec, now: Self.now)
        #expect(status.failures == 0)
    }

    @Test func aLostHostIsNobodysFailure() {
        var (status, parts) = Self.running()
        var silent = parts
        silent[1].contact = .suspect
        var waiting = status
        _ = waiting.follow(Self.news(silent), of: Self.spec, now: Self.now)
        #expect(waiting.state == .unknown)
        var ends = Self.ends(parts, [nil])
        ends[parts[1].allocation.id] = TrainingPartEnd(exitCode: 0, wasAsked: true, at: Self.now)
        let told = status.follow(Self.news([], ends: ends, progress: 12), of: Self.spec, now: Self.now)
        #expect(told?.reason == .rescheduled && status.state == .pending)
        #expect(status.failures == 0 && status.restarts == 1 && status.checkpointStep == 12)
    }
}
