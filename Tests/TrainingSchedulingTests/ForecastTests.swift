import Testing

@testable import TrainingScheduling

@Suite struct ForecastTests {
    /// One node of 8 GPUs, `held` of which a running job has for 1,000 s more.
    private static func state(_ held: Int, _ waiting: [TrainingJob]) throws -> RoundState {
        var room = FreeRoom(RoundFixture.nodes(1))
        let curve = SpeedCurve([SpeedPoint(placement: [held], plan: "ga", secondsPerStep: 1)])
        let running = try RoundFixture.running(
            RoundFixture.job(0, gpus: held, curve: curve), gpus: held, in: &room)
        return RoundState(now: 0, room: room, jobs: [running] + waiting.map { RoundFixture.pending($0) })
    }

    private static func job(_ id: Int, gpus: Int, steps: Double = 100) -> TrainingJob {
        RoundFixture.job(
            id, gpus: gpus, steps: steps, submittedAt: Double(id),
            curve: SpeedCurve([SpeedPoint(placement: [gpus], plan: "ga", secondsPerStep: 1)]))
    }

    @Test func whoWaitsStartsWhenRoomOpens() throws {
        let policy = QueuePolicy(.submission, .greedy, restart: 10)
        let forecast = TrainingForecast(
            try Self.state(8, [Self.job(1, gpus: 8), Self.job(2, gpus: 8)]), policy: policy, restart: 10)
        #expect(forecast.outcomes[0].startsAt == 0 && forecast.outcomes[0].position == nil)
        #expect(forecast.outcomes.map(\.startsAt) == [0, 1000, 1110])
        #expect(forecast.outcomes.map(\.endsAt) == [1000, 1110, 1220])
        #expect(forecast.outcomes.map(\.position) == [nil, 1, 2])
        #expect(forecast.outcomes[1].wait?.token == .waitingForCapacity)
    }

    @Test func whatNeverFitsHasNoTime() throws {
        let policy = QueuePolicy(.submission, .greedy, restart: 10)
        let forecast = TrainingForecast(
            try Self.state(4, [Self.job(1, gpus: 64)]), policy: policy, restart: 10)
        #expect(forecast.outcomes[1].startsAt == nil && forecast.outcomes[1].wait?.token == .noFeasiblePlan)
    }

    @Test func reservationsDelayNobodyBefore() throws {
        // 4 are free. The second needs all 8, the third fits beside but would hold it up, the fourth ends before.
        let jobs = [
            Self.job(1, gpus: 8), Self.job(2, gpus: 4, steps: 5000), Self.job(3, gpus: 4, steps: 500),
        ]
        let decision = ConservativePolicy(restart: 0).round(try Self.state(4, jobs))
        #expect(decision.changes.map(\.job) == [3] && decision.changes[0].cause == .backfilled)
        let starts = decision.waits.reduce(into: [:]) { $0[$1.job] = $1.startsAt }
        #expect(starts == [1: 1000, 2: 1100])
        #expect(decision.waits.allSatisfy { $0.token == .reserved })
    }

    @Test func aSmallJobFillsWhatTwoReservationsLeave() throws {
        let jobs = [
            Self.job(1, gpus: 6, steps: 1000), Self.job(2, gpus: 5, steps: 1000),
            Self.job(3, gpus: 2, steps: 3000),
        ]
        let state = try Self.state(6, jobs)
        let decision = ConservativePolicy(restart: 0).round(state)
        // 2 of 8 are never needed by the two before it.
        let forecast = TrainingForecast(state, policy: ConservativePolicy(restart: 0), restart: 0)
        #expect(forecast.outcomes[1].startsAt == 1000 && forecast.outcomes[2].startsAt == 2000)
        #expect(decision.changes.map(\.job) == [3])
        #expect(RoundFixture.defects(state, decision).isEmpty)
    }
}
