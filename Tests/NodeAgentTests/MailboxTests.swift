import Fleet
@testable import NodeAgent
import Testing

@Suite("Mailbox and clocks", .timeLimit(.minutes(5)))
struct MailboxTests {
    @Test("A reader takes all that waits, in order")
    func order() async throws {
        let mailbox = Mailbox<Int>()
        mailbox.post([1, 2])
        mailbox.post(3)
        #expect(try await mailbox.take() == [1, 2, 3])
        #expect(mailbox.drain().isEmpty)
    }

    @Test("A cancelled reader leaves the mailbox usable, and loses nothing")
    func cancellation() async throws {
        let mailbox = Mailbox<Int>()
        for round in 0..<200 {
            await withThrowingTaskGroup { group in
                group.addTask { try await mailbox.take() }
                if round % 2 == 0 { await Task.yield() }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            mailbox.post(round)
            #expect(try await mailbox.take() == [round])
        }
    }

    @Test("Nothing is lost between writers and a waiting reader")
    func concurrent() async throws {
        let mailbox = Mailbox<Int>()
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for value in 0..<500 {
                        mailbox.post(value)
                        if value % 50 == writer { await Task.yield() }
                    }
                    return 0
                }
            }
            var received = 0
            while received < 2000 { received += try await mailbox.take().count }
            try await group.waitForAll()
            return received
        }
        #expect(total == 2000)
    }

    @Test("The system's clock rises, names its boot, and does not wait for the past")
    func systemClock() async throws {
        let clock = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? "none")
        let start = clock.now()
        try await clock.sleep(until: start)
        #expect(clock.now() >= start)
        #expect(!clock.bootID.isEmpty)
        #expect(clock.wallTime() > Timestamp(seconds: 1_600_000_000))
    }

    @Test("Deadlines come out by time, then by order of insertion")
    func deadlines() {
        var random = SplitMix64(seed: 4)
        var queue = DeadlineQueue<Int>()
        let dues = (0..<500).map { _ in MonotonicTime(microseconds: Int64(random.next() % 50)) }
        for (index, due) in dues.enumerated() { queue.insert(index, due: due) }
        var taken: [Int] = []
        for now in 0..<50 {
            while let entry = queue.popFirst(through: MonotonicTime(microseconds: Int64(now))) {
                taken.append(entry.element)
            }
        }
        let expected = dues.indices.sorted { (dues[$0], $0) < (dues[$1], $1) }
        #expect(taken == expected)
        #expect(queue.count == 0 && queue.nextDue == nil)
    }

    @Test("A queue gives back what it got, whatever the pattern")
    func fifo() {
        var random = SplitMix64(seed: 8)
        var queue = FIFO<Int>()
        var expected: [Int] = []
        for value in 0..<2000 {
            if random.next() % 3 < 2 {
                queue.append(value)
                expected.append(value)
            } else {
                #expect(queue.popFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
            }
            #expect(queue.count == expected.count && queue.first == expected.first)
        }
    }
}
