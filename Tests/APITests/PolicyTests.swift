import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

@testable import API

/// Versions of policies, and the way back to them.
@Suite struct PolicyTests {
    private static let item = "/v1/policies/it"

    private static func spec(_ score: String) -> String {
        #"{"metadata":{"name":"it"},"spec":{"placement":{"score":"\#(score)"},"type":"placement"}}"#
    }

    private static func history(
        _ client: any TestClientProtocol, _ query: String = ""
    ) async throws -> WireList<WireVersion> {
        let answer = try await client.send(.get, item + "/history" + query)
        return try JSONDecoder().decode(
            WireList<WireVersion>.self, from: Data(answer.body.readableBytesView))
    }

    private static func document(_ answer: TestResponse) throws -> WireDocument {
        try JSONDecoder().decode(WireDocument.self, from: Data(answer.body.readableBytesView))
    }

    /// Gives the policy another score. - Returns: its entity tag.
    @discardableResult
    private static func set(_ client: any TestClientProtocol, _ score: String) async throws -> String {
        let current = try await client.send(.get, item)
        let tag = try #require(current.headers[.eTag])
        let answer = try await client.send(.put, item, headers: [.ifMatch: tag], body: spec(score))
        #expect(answer.status == .ok)
        return try #require(answer.headers[.eTag])
    }

    @Test func aRollbackIsANewVersionWithTheOldSpec() async throws {
        try await APIFixture().test { client in
            let stale = try await Self.set(client, "first-fit")
            let tag = try await Self.set(client, "waste")
            func rollback(_ tag: String?, _ body: String, _ query: String = "") async throws -> TestResponse {
                try await client.send(
                    .post, Self.item + "/rollback" + query, headers: tag.map { [.ifMatch: $0] } ?? [:],
                    body: body)
            }
            #expect(try await rollback(nil, #"{"version":1}"#).status.code == 428)
            #expect(try await rollback(stale, #"{"version":1}"#).problem?.code == .preconditionFailed)
            let unknown = try await rollback(tag, #"{"version":9}"#).problem
            #expect(unknown?.causes.map(\.field) == ["version"] && unknown?.status == 422)
            let slip = try await rollback(tag, #"{"version":1,"dryrun":true}"#)
            #expect(slip.problem?.causes.first?.code == .unknownField)

            let trial = try await rollback(tag, #"{"version":1}"#, "?dryRun=true")
            #expect(trial.status == .ok && String(buffer: trial.body).contains("best-fit"))
            #expect(try await Self.history(client).items.count == 3)

            let answer = try await rollback(tag, #"{"version":1}"#)
            let document = try Self.document(answer)
            #expect(document.metadata.generation == 4)
            let versions = try await Self.history(client).items
            #expect(versions.map(\.version) == [4, 3, 2, 1])
            #expect(versions.map(\.verb) == ["rollback", "replace", "replace", "create"])
            #expect(versions[0].spec == versions[3].spec && versions[0].actor == "user/admin")
            #expect(versions[0].spec == document.spec)

            // To what is in force already: nothing to write.
            let next = try #require(answer.headers[.eTag])
            let same = try Self.document(try await rollback(next, #"{"version":4}"#))
            #expect(same.metadata.generation == 4)
            #expect(try await rollback(tag, #"{"version":1}"#).status.code == 412)
        }
    }

    @Test func theHistoryIsPaged() async throws {
        try await APIFixture().test { client in
            for score in ["first-fit", "waste", "best-fit", "waste"] { try await Self.set(client, score) }
            var found: [Int] = []
            var cursor: String?
            repeat {
                let page = try await Self.history(
                    client, "?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
                #expect(page.items.count <= 2)
                found += page.items.map(\.version)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(found == [5, 4, 3, 2, 1])
            let bad = try await client.send(.get, Self.item + "/history?cursor=x")
            #expect(bad.problem?.code == .malformedRequest)
            let one = try await client.send(.get, Self.item + "/history/2")
            #expect(String(buffer: one.body).contains("first-fit"))
            for path in [
                "/v1/policies/it/history/6", "/v1/policies/it/history/x", "/v1/policies/none/history",
                "/v1/policies/none/history/1",
            ] { #expect(try await client.send(.get, path).problem?.code == .notFound, "\(path)") }
        }
    }

    /// What was legal once is not written again when it no longer is.
    @Test func anOldSpecIsJudgedByTheRulesOfToday() async throws {
        let fixture = try await APIFixture()
        let context = WriteContext(actor: "user/old", verb: "replace")
        let newest = #"{"placement":{"score":"newest"},"type":"placement"}"#
        let now = #"{"placement":{"score":"best-fit"},"type":"placement"}"#
        for spec in [newest, now] {
            _ = try await fixture.store.update(
                .policy, project: nil, name: "it", precondition: .none, context: context
            ) { $0.spec = spec }
        }
        try await fixture.test { client in
            let tag = try #require(try await client.send(.get, Self.item).headers[.eTag])
            let answer = try await client.send(
                .post, Self.item + "/rollback", headers: [.ifMatch: tag], body: #"{"version":2}"#)
            #expect(answer.problem?.causes.map(\.field) == ["spec.placement.score"])
        }
    }

    @Test func aPolicyInUseStays() async throws {
        try await APIFixture().test { client in
            let body = #"{"spec":{"policies":{"placement":"\#("it")"}}}"#
            let tag = try #require(try await client.send(.get, "/v1/pools/it").headers[.eTag])
            let named = try await client.send(.patch, "/v1/pools/it", headers: [.ifMatch: tag], body: body)
            #expect(named.status == .ok)
            let kept = try await client.send(.delete, Self.item, headers: [.ifMatch: "*"])
            #expect(kept.problem?.code == .inUse)
            let both = try await client.send(
                .patch, "/v1/pools/it", headers: [.ifMatch: try #require(named.headers[.eTag])],
                body: #"{"spec":{"placement":"waste"}}"#)
            #expect(both.problem?.causes.first?.field == "spec.policies.placement")
        }
    }
}
