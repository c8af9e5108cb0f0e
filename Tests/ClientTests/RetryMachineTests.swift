import Testing

@testable import Client

struct RetryMachineTests {
    private let policy = RetryPolicy(rounds: 4, base: .milliseconds(100), cap: .seconds(1))

    @Test func triesEveryServerBeforeItPauses() {
        var machine = RetryMachine(policy: policy, servers: 3, repeatable: true)
        let decisions = (0..<4).map { _ in machine.next(after: .broken, random: 0) }
        #expect(decisions == [.tryNext, .tryNext, .pause(.milliseconds(50)), .tryNext])
    }

    @Test func pausesDoubleUpToTheCapAndThenItGivesUp() {
        var machine = RetryMachine(
            policy: .init(rounds: 6, base: .milliseconds(300), cap: .seconds(1)), servers: 1, repeatable: true
        )
        let decisions = (0..<6).map { _ in machine.next(after: .notSent, random: 1) }
        #expect(
            decisions == [
                .pause(.milliseconds(300)), .pause(.milliseconds(600)), .pause(.seconds(1)),
                .pause(.seconds(1)),
                .pause(.seconds(1)), .giveUp,
            ])
    }

    @Test(arguments: [0.0, 0.25, 0.999])
    func jitterStaysBetweenHalfAndAll(random: Double) {
        var machine = RetryMachine(policy: policy, servers: 1, repeatable: true)
        guard case .pause(let pause) = machine.next(after: .broken, random: random) else {
            Issue.record("no pause")
            return
        }
        #expect(pause >= .milliseconds(50) && pause <= .milliseconds(100))
    }

    @Test func theShortestRetryAfterOfARoundIsHonoured() {
        var machine = RetryMachine(policy: policy, servers: 2, repeatable: true)
        #expect(machine.next(after: .declined(retryAfter: .milliseconds(900)), random: 0) == .tryNext)
        let decision = machine.next(after: .declined(retryAfter: .milliseconds(700)), random: 0)
        #expect(decision == .pause(.milliseconds(700)))
    }

    @Test func aRetryAfterAboveTheCapIsAnAnswer() {
        var machine = RetryMachine(policy: policy, servers: 1, repeatable: true)
        #expect(machine.next(after: .declined(retryAfter: .seconds(60)), random: 0) == .giveUp)
    }

    @Test func whatMayHaveHappenedIsNotRepeatedBlindly() {
        var once = RetryMachine(policy: policy, servers: 2, repeatable: false)
        #expect(once.next(after: .notSent, random: 0) == .tryNext)
        #expect(once.next(after: .broken, random: 0) == .giveUp)
        var declined = RetryMachine(policy: policy, servers: 2, repeatable: false)
        #expect(declined.next(after: .declined(retryAfter: nil), random: 0) == .giveUp)
    }

    @Test func finalIsFinal() {
        var machine = RetryMachine(policy: policy, servers: 5, repeatable: true)
        #expect(machine.next(after: .final, random: 0) == .giveUp)
    }
}
