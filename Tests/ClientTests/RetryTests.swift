import APITypes
import AgentProtocol
import Client
import Fleet
import TestServer
import Testing

struct RetryTests {
    @Test func aDroppedConnectionIsTriedAgain() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave([.drop, .drop])
        try await fixture.run { client in
            let version = try await client.version()
            #expect(version.schema == 3)
            #expect(client.retries == 2)
        }
        #expect(fixture.time.sleeps == [.milliseconds(150), .milliseconds(300)])
    }

    @Test func retryAfterIsHonoured() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave([.problem(Problem(.unavailable, detail: "starting"), retryAfter: 3)])
        try await fixture.run { client in _ = try await client.version() }
        #expect(fixture.time.sleeps == [.seconds(3)])
    }

    @Test func aCreationWhoseAnswerWasLostIsRepeatedWithItsKey() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave([.dropAfterwards])
        try await fixture.run { client in
            let document = try await client.create(Fixture.draft("vms"), in: Fixture.pools)
            #expect(document.metadata.name == "vms")
        }
        let keys = fixture.plane.requests.map { $0.headers["idempotency-key"] }
        #expect(keys.count == 2 && keys[0] != nil && keys[0] == keys[1])
        #expect(fixture.plane.documentCount == 1)
    }

    @Test func aJoinWhoseAnswerWasLostIsNotRepeated() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave([.drop])
        try await fixture.run { client in
            let request = JoinRequest(token: "t", session: "s", substrate: "simulated", hosts: ["h"])
            await #expect {
                try await client.join(request)
            } throws: { error in
                guard case .unavailable = error as? ControlPlaneError else { return false }
                return true
            }
        }
        #expect(fixture.plane.requests.count == 1)
    }

    @Test func problemsThatRepeatingCannotHelpAreNotRepeated() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            await #expect {
                _ = try await client.get("none", in: Fixture.pools)
            } throws: { ($0 as? ClientError)?.isProblem(.notFound) == true }
        }
        #expect(fixture.plane.requests.count == 1)
        #expect(fixture.time.sleeps.isEmpty)
    }

    @Test func aServerThatWasGivenUpIsNotAskedNext() async throws {
        let fixture = Fixture()
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let handler: TestServer.Handler = { _ in
            ask.yield()
            return .stream(TestStream())
        }
        try await TestServer.with(handler) { silent in
            try await fixture.run(servers: [silent.address]) { client in
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await client.version() }
                    for await _ in asked { break }
                    group.cancelAll()
                }
                _ = try await client.version()
                #expect(client.retries == 0 && fixture.plane.requests.count == 1)
            }
        }
    }

    @Test func quotaIsNotWaitedForWithinARequest() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave([.problem(Problem(.quotaExceeded, detail: "used up"))])
        try await fixture.run { client in
            await #expect(throws: ClientError.self) {
                try await client.create(Fixture.draft("vms"), in: Fixture.pools)
            }
        }
        #expect(fixture.plane.requests.count == 1)
    }

    @Test func itGivesUpAndNamesTheServer() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave(Array(repeating: .drop, count: 9))
        try await fixture.run { client in
            await #expect {
                _ = try await client.version()
            } throws: { error in
                guard case .unreachable(let text) = error as? ClientError else { return false }
                return text.contains(client.serverNames)
            }
        }
        #expect(fixture.plane.requests.count == RetryPolicy.interactive.rounds)
    }

    @Test func anotherControllerIsTriedWithoutAPauseAndKept() async throws {
        let fixture = Fixture()
        // Port 1 is privileged and closed: connecting is refused at once.
        try await fixture.run(servers: ["http://127.0.0.1:1"]) { client in
            _ = try await client.version()
            _ = try await client.version()
            #expect(client.retries == 1)
        }
        #expect(fixture.time.sleeps.isEmpty)
        #expect(fixture.plane.requests.count == 2)
    }

    @Test func aControllerThatIsNotReadyIsLeft() async throws {
        let standby = FakeControlPlane()
        standby.misbehave(Array(repeating: .problem(Problem(.unavailable, detail: "no lease")), count: 5))
        let fixture = Fixture()
        try await TestServer.with(standby.handler) { server in
            try await fixture.run(servers: [server.address]) { client in
                for _ in 0..<3 { _ = try await client.version() }
            }
        }
        #expect(standby.requests.count == 1)
        #expect(fixture.plane.requests.count == 3)
    }

    @Test func cancellationEndsARetry() async throws {
        let fixture = Fixture()
        fixture.plane.misbehave(Array(repeating: .drop, count: 9))
        try await fixture.run { client in
            let result = await withTaskGroup(of: (any Error)?.self) { group in
                group.addTask {
                    do {
                        _ = try await client.version()
                        return nil
                    } catch { return error }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(result is CancellationError)
        }
    }
}
