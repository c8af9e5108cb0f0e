import Testing

@testable import PostgresClient

@Suite struct ConfigurationTests {
    @Test func secretsDoNotShow() {
        let secret = Secret("hush")
        let configuration = PostgresConfiguration(
            endpoint: .connectionString("postgresql://u:hush@h/d"), password: secret)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(secret)", "\(configuration)", String(reflecting: secret), dumped] {
            #expect(!text.contains("hush"))
        }
        #expect(secret.reveal() == "hush")
    }

    @Test func backoffDoublesUpToItsLimit() {
        let backoff = Backoff(initial: .milliseconds(10), maximum: .milliseconds(35))
        #expect(backoff.delay(attempt: 1, fraction: 1) == .milliseconds(10))
        #expect(backoff.delay(attempt: 2, fraction: 0) == .milliseconds(10))
        #expect(backoff.delay(attempt: 2, fraction: 1) == .milliseconds(20))
        #expect(backoff.delay(attempt: 1_000, fraction: 1) == .milliseconds(35))
    }

    @Test func seededJitterRepeats() {
        let (first, second) = (JitterSource.seeded(7), JitterSource.seeded(7))
        for _ in 0..<100 {
            let fraction = first.fraction()
            #expect(fraction == second.fraction())
            #expect((0..<1).contains(fraction))
        }
    }

    @Test func limitsNeverBecomeNone() {
        #expect(Duration.microseconds(1).wholeMilliseconds == 1)
        #expect(Duration.zero.wholeMilliseconds == 0)
        #expect(Duration.seconds(100_000_000).wholeMilliseconds == Int64(Int32.max))
    }

    @Test func theBufferOfNotificationsCoalesces() {
        var buffer = NotificationBuffer()
        buffer.limit = 2
        for payload in ["a", "b", "a", "c"] {
            buffer.append(PostgresNotification(channel: "x", payload: payload, processID: 1))
        }
        let taken = buffer.take()
        #expect(taken.notifications.map(\.payload) == ["a", "b"])
        #expect(taken.hasOverflowed)
        #expect(buffer.isEmpty)
    }
}
