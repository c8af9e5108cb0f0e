import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

@testable import API

/// Ratios over REST: why they are so, and what people say to them.
@Suite struct OversubscriptionTests {
    private static let root = "/v1/oversubscription"

    private static func read<Value: Decodable>(_ answer: TestResponse) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(answer.body.readableBytesView))
    }

    private static func explain(
        _ client: any TestClientProtocol, _ scope: String = "host/it"
    ) async throws -> RateExplanation {
        try read(try await client.send(.get, "\(root)/scopes/\(scope)"))
    }

    /// Lets the pool go by a policy.
    private static func attach(_ client: any TestClientProtocol, _ rules: String) async throws {
        let policy =
            #"{"metadata":{"name":"o"},"spec":{"type":"oversubscription","oversubscription":\#(rules)}}"#
        try #require(try await client.send(.post, "/v1/policies", body: policy).status == .created)
        let pool = try await client.send(.get, "/v1/pools/it")
        let patch = #"{"spec":{"policies":{"oversubscription":"o"}}}"#
        let answer = try await client.send(
            .patch, "/v1/pools/it",
            headers: [
                .ifMatch: try #require(pool.headers[.eTag]), .contentType: "application/merge-patch+json",
            ],
            body: patch)
        try #require(answer.status == .ok, "\(String(buffer: answer.body))")
    }

    @Test func anExplanationNamesPolicyClampAndConstraint() async throws {
        try await APIFixture().test { client in
            let plain = try await Self.explain(client)
            #expect(plain.effective.ratioPerMille == 1000 && plain.effective.scope == nil)
            try await Self.attach(client, #"{"mode":"pinned","ratioPerMille":2000}"#)
            let pinned = try await Self.explain(client)
            #expect(pinned.effective.ratioPerMille == 2000)
            #expect(pinned.effective.policy == PolicyVersion(name: "o", version: 1))
            #expect(pinned.effective.scope == RateScope(.pool, "it") && pinned.exceptions == [])
            #expect(pinned.sources.map(\.scope.description) == ["host/it", "pool/it", "cell/it"])

            let cap =
                #"{"scope":"cell/it","verb":"cap","ratioPerMille":1500,"reason":"licences","ttlSeconds":60}"#
            let tried = try await client.send(.post, "\(Self.root)/constraints?dryRun=true", body: cap)
            #expect(tried.status == .ok)
            #expect(try await Self.explain(client).effective.ratioPerMille == 2000)
            let made: ScopeConstraint = try Self.read(
                try await client.send(.post, "\(Self.root)/constraints", as: "operator", body: cap))
            #expect(made.author == "user/operator" && made.expiresAt != nil)
            let capped = try await Self.explain(client)
            #expect(capped.effective.ratioPerMille == 1500 && capped.effective.clamps == [.cap])
            #expect(capped.effective.constraints == [made.id])
            let listed: WireList<RateExplanation> = try Self.read(try await client.send(.get, Self.root))
            #expect(listed.items.map(\.scope.description) == ["cell/it", "pool/it"])

            let end = "\(Self.root)/constraints/\(made.id)/end"
            #expect(try await client.send(.post, end, body: #"{"reason":"over"}"#).status == .ok)
            #expect(try await Self.explain(client).effective.ratioPerMille == 2000)
            #expect(try await client.send(.post, end, body: #"{"reason":"over"}"#).status == .notFound)
        }
    }

    @Test(arguments: [
        (#"{"scope":"pol/it","verb":"kill","reason":"r"}"#, "scope", "write it as pool/NAME"),
        (#"{"scope":"pool/it","verb":"cap","reason":"r"}"#, "ratioPerMille", "says which ratio"),
        (
            #"{"scope":"pool/it","verb":"pin","ratioPerMille":900,"reason":"r"}"#, "ratioPerMille",
            "the nearest is 1000"
        ),
        (
            #"{"scope":"pool/it","verb":"kill","ratioPerMille":2000,"reason":"r"}"#, "ratioPerMille",
            "leave it out"
        ),
        (#"{"scope":"pool/it","verb":"kil","reason":"r"}"#, "verb", "the nearest is \"kill\""),
        (
            #"{"scope":"pool/it","verb":"merge","prototypes":[1,1],"reason":"r"}"#, "prototypes",
            "two prototypes"
        ),
        (#"{"scope":"pool/it","verb":"kill","reason":""}"#, "reason", "say why"),
        (#"{"scope":"pool/it","verb":"kill","reason":"r","ttlSeconds":0}"#, "ttlSeconds", "the nearest is 1"),
        (#"{"scope":"pool/it","verb":"kill","reason":"r","ttl":1}"#, "ttl", "is not known"),
    ])
    func aSlipIsToldTheNearestChoice(_ body: String, _ field: String, _ words: String) async throws {
        try await APIFixture().test { client in
            let answer = try await client.send(.post, "\(Self.root)/constraints", body: body)
            #expect(answer.status == .unprocessableContent)
            let cause = try #require(answer.problem?.causes.first)
            #expect(cause.field == field && cause.message.contains(words), "\(cause)")
        }
    }

    @Test func aCardIsApprovedOnce() async throws {
        let fixture = try await APIFixture()
        let lease = try #require(
            try await fixture.store.acquireLease(cell: "it", holder: "c1", duration: .seconds(60)))
        let id = try #require(ID<ScopeDecision>("01000000-0000-7000-8000-0000000000c1"))
        let card = ScopeDecision(
            id: id, cell: "it", scope: RateScope(.pool, "it"), state: .proposed,
            windowStart: APIFixture.start,
            windowSeconds: 3600, generation: 0, ratioPerMille: 1250, priorRatioPerMille: 1000,
            evidence: .init(
                policy: PolicyVersion(name: "o", version: 1), algorithm: .protoRate, inputsHash: "h",
                predictedPeak: 0.4, risk: 0.01, benefitMilliCPU: 200, milliCPU: 1000),
            asks: [.first], createdAt: APIFixture.start)
        #expect(try await fixture.store.decide(.init(decision: card, reason: .ratioProposed), lease: lease))
        try await fixture.test { client in
            let list: WireList<ScopeDecision> = try Self.read(
                try await client.send(.get, "\(Self.root)/reviews"))
            #expect(list.items == [card])
            let approve = "\(Self.root)/reviews/\(id)/approve"
            let silent = try await client.send(.post, approve, body: #"{"reason":""}"#)
            #expect(silent.problem?.causes.first?.field == "reason")
            #expect(
                try await client.send(.post, approve, as: "viewer", body: #"{"reason":"r"}"#).status
                    == .forbidden)
            let done: ScopeDecision = try Self.read(
                try await client.send(.post, approve, body: #"{"reason":"looked"}"#))
            #expect(done.state == .approved && done.answeredBy == "user/admin")
            let again = try await client.send(.post, approve, body: #"{"reason":"looked"}"#)
            #expect(again.status == .ok || again.problem?.code == .guardRefused)
            let open: WireList<ScopeDecision> = try Self.read(
                try await client.send(.get, "\(Self.root)/reviews"))
            #expect(open.items == [])
            let found: WireList<ScopeDecision> = try Self.read(
                try await client.send(.get, "\(Self.root)/decisions?scope=pool/it&state=approved"))
            #expect(found.items.map(\.id) == [id])
            let slip = try await client.send(.get, "\(Self.root)/decisions?state=aplied")
            #expect(slip.status == .badRequest && slip.problem?.detail.contains("\"applied\"") == true)
        }
    }

    @Test func whatIfChangesNothingAndSaysWhatIsWrong() async throws {
        try await APIFixture().test { client in
            let path = "\(Self.root)/scopes/pool/it/what-if"
            let none: WhatIfStatement = try Self.read(
                try await client.send(.post, path, as: "viewer", body: "{}"))
            #expect(none.hours == 0 && none.proposal == nil && none.rules.mode == .managed)
            for (body, field) in [
                (#"{"days":1}"#, "days"),
                (#"{"rules":{"mode":"managed","riskTarget":2}}"#, "rules.riskTarget"),
                (#"{"policy":"o","rules":{"mode":"managed"}}"#, "rules"), (#"{"day":3}"#, "day"),
            ] {
                let answer = try await client.send(.post, path, body: body)
                #expect(answer.status == .unprocessableContent)
                #expect(answer.problem?.causes.first?.field == field, "\(body)")
            }
            let unknown = try await client.send(.post, path, body: #"{"policy":"none"}"#)
            #expect(unknown.status == .notFound)
            let nowhere = try await client.send(.post, "\(Self.root)/scopes/pool/none/what-if", body: "{}")
            #expect(nowhere.status == .notFound)
        }
    }

    @Test func aScopeThatIsNotThereIsNotFound() async throws {
        try await APIFixture().test { client in
            for path in ["pool/none", "hots/it"] {
                let answer = try await client.send(.get, "\(Self.root)/scopes/\(path)")
                #expect(answer.status == .notFound)
            }
            let kill = #"{"scope":"pool/none","verb":"kill","reason":"r"}"#
            #expect(try await client.send(.post, "\(Self.root)/constraints", body: kill).status == .notFound)
        }
    }
}
