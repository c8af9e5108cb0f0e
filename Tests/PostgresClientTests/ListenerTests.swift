import PostgresClient
import Testing

extension ServerTests {
    @Suite struct ListenerTests {
        private func listener(_ channel: String, bufferLimit: Int = 1_024) throws -> PostgresListener {
            PostgresListener(
                configuration: try ServerTests.configuration(), channels: [channel],
                bufferLimit: bufferLimit,
                backoff: Backoff(initial: .milliseconds(1), maximum: .milliseconds(50)),
                jitter: .seeded(1), logger: ServerTests.logger)
        }

        private func payload(_ element: PostgresListener.Element?) -> String? {
            guard case .notification(let notification) = element else { return nil }
            return notification.payload
        }

        @Test func notificationsArriveInOrderOnceEach() async throws {
            let sender = try await ServerTests.connect()
            var events = try listener("listen \"order").makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await sender.runScript(
                """
                NOTIFY "listen ""order", 'a'; NOTIFY "listen ""order", 'b'; NOTIFY "listen ""order", 'a'
                """)
            #expect(payload(await events.next()) == "a")
            #expect(payload(await events.next()) == "b")
            try await sender.query("SELECT pg_notify($1, $2)", ["listen \"order", "c"])
            #expect(payload(await events.next()) == "c")
            await sender.close()
        }

        @Test func reconnectsAndSaysSo() async throws {
            let sender = try await ServerTests.connect()
            var events = try listener("listen_again").makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await sender.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query = 'LISTEN "listen_again"' AND pid <> pg_backend_pid()
                """)
            #expect(await events.next() == .reconnected)
            try await sender.runScript("NOTIFY listen_again, 'still here'")
            #expect(payload(await events.next()) == "still here")
            await sender.close()
        }

        @Test func slowConsumersGetTheNewsThatSomethingWasDropped() async throws {
            let sender = try await ServerTests.connect()
            var events = try listener("listen_flood", bufferLimit: 10).makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await sender.runScript(
                "SELECT pg_notify('listen_flood', i::text) FROM generate_series(1, 1000) i")
            var count = 0
            while let event = await events.next(), event != .overflowed { count += 1 }
            #expect(count >= 10 && count < 1_000)
            await sender.close()
        }

        @Test func cancellationEndsTheSequence() async throws {
            let listener = try listener("listen_end")
            let (signal, started) = AsyncStream<Void>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in listener { started.finish() } }
                for await _ in signal {}
                group.cancelAll()
            }
        }
    }
}
