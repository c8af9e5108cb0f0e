import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Store
import Testing

@testable import API

/// `Idempotency-Key` on verbs.
@Suite struct IdempotencyTests {
    private static func post(
        _ client: any TestClientProtocol, _ uri: String, key: String, body: String = #"{"reason":"disk"}"#,
        headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers[.idempotencyKey] = key
        return try await client.send(.post, uri, headers: headers, body: body)
    }

    @Test func aRepeatIsAnsweredAndNotPerformed() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let first = try await Self.post(client, "/v1/hosts/it/cordon", key: "k")
            #expect(first.status == .ok && first.headers[.replayed] == nil)
            _ = try await Self.post(client, "/v1/hosts/it/uncordon", key: "k2", body: #"{"reason":""}"#)
            let rows = try await fixture.store.audit(AuditQuery(limit: 1000)).count
            let again = try await Self.post(client, "/v1/hosts/it/cordon", key: "k")
            #expect(again.status == .ok && again.headers[.replayed] == "true")
            #expect(again.body == first.body && again.headers[.eTag] == first.headers[.eTag])
            #expect(again.headers[.contentType] == "application/json")
            let host = try await client.send(.get, "/v1/hosts/it")
            #expect(!String(buffer: host.body).contains("cordoned"))
            #expect(try await fixture.store.audit(AuditQuery(limit: 1000)).count == rows)
        }
    }

    @Test func anotherRequestWithTheKeyIsRefused() async throws {
        try await APIFixture().test { client in
            #expect(try await Self.post(client, "/v1/hosts/it/cordon", key: "k").status == .ok)
            let body = try await Self.post(client, "/v1/hosts/it/cordon", key: "k", body: #"{"reason":"x"}"#)
            #expect(body.status.code == 422 && body.problem?.code == .idempotencyKeyReused)
            let path = try await Self.post(client, "/v1/hosts/it/undrain", key: "k")
            #expect(path.problem?.code == .idempotencyKeyReused)
            let creation = try await Self.post(
                client, "/v1/cells", key: "k", body: #"{"metadata":{"name":"b"},"spec":{}}"#)
            #expect(creation.problem?.code == .idempotencyKeyReused)
            let junk = try await Self.post(client, "/v1/hosts/it/cordon", key: "a b")
            #expect(junk.problem?.code == .malformedRequest)
        }
    }

    @Test func aRefusedRequestAndATrialSpendNoKey() async throws {
        try await APIFixture().test { client in
            let refused = try await Self.post(
                client, "/v1/hosts/it/cordon", key: "k", body: #"{"reason":""}"#)
            #expect(refused.status.code == 422)
            let trial = try await Self.post(
                client, "/v1/hosts/it/cordon?dryRun=true", key: "k", body: #"{"reason":"y"}"#)
            #expect(trial.status == .ok)
            let junk = try await Self.post(client, "/v1/hosts/it/cordon?dryRun=true", key: "a b")
            #expect(junk.problem?.code == .malformedRequest)
            let done = try await Self.post(client, "/v1/hosts/it/cordon", key: "k")
            #expect(done.status == .ok && done.headers[.replayed] == nil)
        }
    }

    @Test func aDrainIsFollowedByItsFirstOperation() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let first = try await Self.post(client, "/v1/hosts/it/drain", key: "k")
            #expect(first.status == .accepted)
            _ = try await Self.post(client, "/v1/hosts/it/undrain", key: "k2", body: #"{"reason":""}"#)
            let again = try await Self.post(client, "/v1/hosts/it/drain", key: "k")
            #expect(again.status == .accepted && again.headers[.location] == first.headers[.location])
            #expect(try await fixture.store.operations(limit: 9).count == 1)
        }
    }

    @Test func aRollbackIsRepeatedWithItsStaleEntityTag() async throws {
        try await APIFixture().test { client in
            let read = try await client.send(.get, "/v1/policies/it")
            let tag = try #require(read.headers[.eTag])
            let changed = try await client.send(
                .put, "/v1/policies/it", headers: [.ifMatch: tag],
                body: #"{"metadata":{"name":"it"},"spec":{"placement":{"score":"waste"},"type":"placement"}}"#
            )
            let headers: HTTPFields = [.ifMatch: try #require(changed.headers[.eTag])]
            for replayed in [nil, "true"] {
                let answer = try await Self.post(
                    client, "/v1/policies/it/rollback", key: "k", body: #"{"version":1}"#, headers: headers)
                #expect(answer.status == .ok && answer.headers[.replayed] == replayed)
            }
        }
    }

    @Test func aSecretIsToldOnceAndKeptNowhere() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let bodies = [
                ("/v1/tokens", #"{"name":"ci","role":"viewer"}"#),
                ("/v1/jointokens", #"{"cell":"it","pool":"it","hosts":"h*","ttlSeconds":60}"#),
            ]
            for (path, body) in bodies {
                let first = try await Self.post(client, path, key: path, body: body)
                #expect(
                    first.status == .created && String(buffer: first.body).contains(#""secret":"secret""#))
                let again = try await Self.post(client, path, key: path, body: body)
                #expect(again.status == .conflict && again.problem?.code == .idempotencyAnswerWithheld)
                let other = try await Self.post(client, path, key: path, body: body + " ")
                #expect(other.problem?.code == .idempotencyKeyReused)
            }
            let key = IdempotencyKey(key: "/v1/tokens", requestHash: "")
            await #expect(throws: StoreError.idempotencyKeyReused("/v1/tokens")) {
                try await fixture.store.claim(key, actor: "user/admin", patience: .zero)
            }
        }
    }

    @Test func whatIsBeingPerformedIsNotPerformedTwice() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let body = ByteBuffer(string: #"{"reason":"disk"}"#)
            let request = Request(
                head: HTTPRequest(
                    method: .post, scheme: nil, authority: nil, path: "/v1/hosts/it/cordon",
                    headerFields: [.idempotencyKey: "k"]),
                body: .init(buffer: body))
            let key = try #require(try IdempotencyKey(request, body: body))
            let claim = try await fixture.store.claim(key, actor: "user/admin", patience: .zero)
            #expect(claim == .perform(claim: 1))
            let second = try await Self.post(client, "/v1/hosts/it/cordon", key: "k")
            #expect(second.problem?.code == .idempotencyInProgress && second.problem?.retryable == true)
            let host = try await client.send(.get, "/v1/hosts/it")
            #expect(!String(buffer: host.body).contains("cordoned"))
        }
    }

    @Test func trialsOfTokensAndCancellationsWriteNothing() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let drained = try await Self.post(client, "/v1/hosts/it/drain", key: "k")
            let location = try #require(drained.headers[.location])
            let rows = try await fixture.store.audit(AuditQuery(limit: 1000)).count
            let cancelled = try await client.send(.post, location + "/cancel?dryRun=true")
            #expect(
                cancelled.status == .ok && String(buffer: cancelled.body).contains(#""state":"cancelled""#))
            let running = try await client.send(.get, location)
            #expect(String(buffer: running.body).contains(#""state":"running""#))
            let token = try await client.send(
                .post, "/v1/tokens?dryRun=true", body: #"{"name":"ci","role":"viewer"}"#)
            #expect(token.status == .ok && !String(buffer: token.body).contains("secret"))
            let taken = try await client.send(
                .post, "/v1/tokens?dryRun=true", body: #"{"name":"viewer","role":"viewer"}"#)
            #expect(taken.problem?.code == .alreadyExists)
            let join = try await client.send(
                .post, "/v1/jointokens?dryRun=true",
                body: #"{"cell":"it","pool":"it","hosts":"h*","ttlSeconds":60}"#)
            #expect(join.status == .ok && !String(buffer: join.body).contains("secret"))
            let breaker = try await client.send(
                .post, "/v1/cells/it/breaker/reset?dryRun=true", body: #"{"zone":"z","reason":"x"}"#)
            #expect(breaker.problem?.code == .notFound)
            for verb in ["adopt", "release"] {
                let none = try await client.send(
                    .post, "/v1/allocations/01997c1e-7a54-7000-8000-00000000000a/\(verb)?dryRun=true",
                    body: #"{"reason":"x"}"#)
                #expect(none.problem?.code == .notFound, "\(verb)")
            }
            #expect(try await fixture.store.audit(AuditQuery(limit: 1000)).count == rows)
        }
    }
}
