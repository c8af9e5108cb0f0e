import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// What every route asks of a request, whatever it does.
@Suite struct RequestTests {
    @Test func aPathThatTakesOtherMethodsNamesThem() async throws {
        try await APIFixture().test { client in
            let answer = try await client.send(.put, "/v1/cells")
            #expect(answer.status == .methodNotAllowed && answer.headers[.allow] == "GET, POST")
            #expect(answer.problem?.code == .methodNotAllowed)
            let traced = try await client.send(.trace, "/healthz")
            #expect(traced.headers[.allow] == "GET")
            let nothing = try await client.send(.get, "/v1/nothing")
            #expect(nothing.problem?.code == .unknownPath)
        }
    }

    @Test(arguments: [
        ("/v1/cells?dryrun=true", "dryRun"), ("/v1/hosts/it/cordon?dry=true", "not known"),
        ("/v1/tokens?x=1", "not known"), ("/v1/cells?dryRun=true&dryRun=false", "twice"),
    ])
    func aParameterThatIsNotKnownStopsTheRequest(_ uri: String, _ hint: String) async throws {
        try await APIFixture().test { client in
            let answer = try await client.send(.post, uri, body: #"{"metadata":{"name":"b"},"spec":{}}"#)
            #expect(answer.status == .badRequest, "\(uri)")
            #expect(answer.problem?.detail.contains(hint) == true)
            let made = try await client.send(.get, "/v1/cells/b")
            #expect(made.status == .notFound)
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.post, "text/plain", 415), (.post, "application/json", 201),
        (.post, "application/json; charset=utf-8", 201), (.post, "application/json; charset=latin1", 415),
        (.post, "application/merge-patch+json", 415), (.post, "application/yaml", 415),
        (.patch, "application/merge-patch+json", 428), (.patch, "application/xml", 415),
    ])
    func aBodyOfAnotherTypeIsRefused(_ method: HTTPRequest.Method, _ type: String, _ status: Int) async throws
    {
        try await APIFixture().test { client in
            let answer = try await client.send(
                method, method == .post ? "/v1/cells" : "/v1/cells/it", headers: [.contentType: type],
                body: #"{"metadata":{"name":"b"},"spec":{}}"#)
            #expect(answer.status.code == status)
        }
    }

    @Test func theRequestIsNamedByItsClient() async throws {
        try await APIFixture().test { client in
            let named = try await client.send(.get, "/v1/cells/none", headers: [.requestID: "a-b_c.9"])
            #expect(named.headers[.requestID] == "a-b_c.9" && named.problem?.requestId == "a-b_c.9")
            let unnamed = try await client.send(.get, "/v1/cells")
            #expect(unnamed.headers[.requestID]?.isEmpty == false)
            for bad in ["", "a b", "ä", String(repeating: "x", count: 65)] {
                let answer = try await client.send(.get, "/v1/cells", headers: [.requestID: bad])
                #expect(answer.problem?.code == .malformedRequest, "\(bad)")
                #expect(answer.headers[.requestID] != bad && answer.headers[.requestID]?.isEmpty == false)
            }
        }
    }

    @Test func largeHeadsAndLengthsAreRefused() async throws {
        try await APIFixture().test { client in
            let long = String(repeating: "x", count: RequestLimit.targetBytes)
            let target = try await client.send(.get, "/v1/cells?x=\(long)")
            #expect(target.problem?.code == .targetTooLong)
            var headers: HTTPFields = [:]
            headers[.userAgent] = String(repeating: "x", count: RequestLimit.headerBytes)
            let head = try await client.send(.get, "/v1/cells", headers: headers)
            #expect(head.problem?.code == .headersTooLarge)
            let big = String(repeating: " ", count: RequestLimit.documentBytes + 1)
            let body = try await client.send(.post, "/v1/cells", body: big)
            #expect(body.problem?.code == .tooLarge)
        }
    }

    @Test func whoAsksTooOftenIsToldWhenToComeBack() async throws {
        var limits = TrafficLimits()
        limits.token = RateLimit(perSecond: 0.25, burst: 2)
        let fixture = try await APIFixture(limits: limits)
        try await fixture.test { client in
            for _ in 0..<2 { #expect(try await client.send(.get, "/v1/cells").status == .ok) }
            let refused = try await client.send(.get, "/v1/cells")
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "4")
            #expect(refused.problem?.code == .rateLimited && refused.problem?.retryable == true)
            #expect(try await client.send(.get, "/v1/cells", as: "viewer").status == .ok)
            fixture.uptime.advance(by: .seconds(4))
            #expect(try await client.send(.get, "/v1/cells").status == .ok)
        }
    }

    @Test func anAddressIsLimitedBeforeItsTokenIsLookedUp() async throws {
        var limits = TrafficLimits()
        limits.address = RateLimit(perSecond: 1, burst: 3)
        try await APIFixture(limits: limits).test { client in
            for _ in 0..<3 {
                let answer = try await client.send(.get, "/v1/cells", as: "guess")
                #expect(answer.status == .unauthorized)
            }
            let answer = try await client.send(.get, "/v1/cells", as: "guess")
            #expect(answer.status == .tooManyRequests)
        }
    }

    @Test(arguments: [
        (#"{"a":1,"b":{"c":[{"d":1,"d":2}]}}"#, "b.c[0].d", FieldDefect.Code.conflict),
        (#"{"a":1,"\u0061":2}"#, "a", .conflict), (#"{"a":{"b":"x\u0000"}}"#, "a.b", .invalid),
        (#"{"a\u0000":1}"#, "", .invalid),
    ])
    func whatAParserForgivesIsRefused(_ text: String, _ field: String, _ code: FieldDefect.Code) throws {
        let problem = #expect(throws: Problem.self) { try JSONText.check(Data(text.utf8)) }
        #expect(problem?.causes.map(\.field) == [field] && problem?.causes.map(\.code) == [code])
    }

    @Test(arguments: [
        #"{"a":"{\"b\":1,\"b\":2}","b":[[],{}],"c":{"a":1}}"#, #"[{"a":1},{"a":1}]"#, "", "{", "\"\\",
        "}]:,\"",
        #"{"a":"a","b":"a"}"#,
    ])
    func whatIsNotOursToJudgePasses(_ text: String) throws { try JSONText.check(Data(text.utf8)) }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> Data {
            Data((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        try JSONText.check(nested(RequestLimit.depth))
        #expect(throws: Problem.self) { try JSONText.check(nested(RequestLimit.depth + 1)) }
        #expect(throws: Problem.self) { try JSONText.check(nested(1_000_000)) }
    }
}
