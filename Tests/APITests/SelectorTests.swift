import APITypes
import Fleet
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// Field selectors of lists, and trials of verbs.
@Suite struct SelectorTests {
    private static func names(_ client: any TestClientProtocol, _ uri: String) async throws -> [String] {
        let answer = try await client.send(.get, uri)
        #expect(answer.status == .ok, "\(uri)")
        return try JSONDecoder().decode(
            WireList<WireDocument>.self, from: Data(answer.body.readableBytesView)
        ).items.map(\.metadata.name)
    }

    @Test func listsAreNarrowedByTheFieldsOfTheirKind() async throws {
        try await APIFixture().test { client in
            #expect(try await Self.names(client, "/v1/hosts?fieldSelector=spec.pool=it") == ["it"])
            #expect(try await Self.names(client, "/v1/hosts?fieldSelector=spec.pool=none,name=it") == [])
            #expect(
                try await Self.names(client, "/v1/policies?fieldSelector=spec.placement.score=best-fit")
                    == ["it"])
            #expect(try await Self.names(client, "/v1/vms?fieldSelector=status.state=Running") == [])
            for kind in Kind.allCases where kind.isDocument {
                let path = "/v1/\(kind.plural)"
                for field in kind.selectableFields {
                    _ = try await Self.names(client, "\(path)?fieldSelector=\(field)=x")
                }
            }
        }
    }

    @Test(arguments: [
        ("/v1/vms?fieldSelector=status.stat=Running", "status.state"),
        ("/v1/vms?fieldSelector=spec.poool=p", "spec.pool"), ("/v1/cells?fieldSelector=nam=it", "name"),
    ])
    func anotherFieldIsAnsweredWithTheNearest(_ uri: String, _ nearest: String) async throws {
        try await APIFixture().test { client in
            let problem = try await client.send(.get, uri).problem
            #expect(problem?.status == 400 && problem?.code == .unknownParameter)
            #expect(
                problem?.detail.hasSuffix("did you mean \"\(nearest)\"?") == true,
                "\(String(describing: problem))")
        }
    }

    @Test func aTrialOfAVerbChangesNothing() async throws {
        try await APIFixture().test { client in
            func spec(_ path: String, _ method: String) async throws -> String {
                let answer = try await client.send(
                    method == "get" ? .get : .post, path, body: method == "get" ? nil : #"{"reason":"disk"}"#)
                #expect(answer.status == .ok, "\(path)")
                return String(buffer: answer.body)
            }
            let before = try await spec("/v1/hosts/it", "get")
            let trial = try await spec("/v1/hosts/it/cordon?dryRun=true", "post")
            #expect(trial.hasPrefix(#"{"document":"#) && trial.contains(#""cordoned":true"#))
            #expect(try await spec("/v1/hosts/it", "get") == before)
            _ = try await spec("/v1/hosts/it/cordon", "post")
            let cordoned = try await spec("/v1/hosts/it", "get")
            for verb in ["uncordon", "undrain"] {
                let answer = try await spec("/v1/hosts/it/\(verb)?dryRun=true", "post")
                #expect(answer.contains(#""cordoned":true"#) == (verb == "undrain"), "\(verb)")
            }
            #expect(try await spec("/v1/hosts/it", "get") == cordoned)
            let fence = try await client.send(
                .post, "/v1/hosts/it/fence?dryRun=true", body: #"{"reason":"burnt"}"#)
            #expect(fence.status == .ok && String(buffer: fence.body) == #"{"released":[]}"#)
            let slip = try await client.send(
                .post, "/v1/hosts/it/cordon?dryRun=yes", body: #"{"reason":"x"}"#)
            #expect(slip.problem?.code == .malformedRequest)
            let none = try await client.send(
                .post, "/v1/hosts/none/cordon?dryRun=true", body: #"{"reason":"x"}"#)
            #expect(none.problem?.code == .notFound)
        }
    }

    @Test func aHostThatWillBeTakenAwayIsDrainedByForceUntilThen() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            func notice(_ body: String, _ query: String = "") async throws -> TestResponse {
                try await client.send(.post, "/v1/hosts/it/preempt\(query)", body: body)
            }
            for (body, field) in [
                (#"{"reason":"spot"}"#, "at"), (#"{"reason":"","inSeconds":1}"#, "reason"),
                (#"{"reason":"spot","inSeconds":-1}"#, "inSeconds"),
                (#"{"reason":"spot","inSeconds":1,"at":"2026-06-01T00:00:00Z"}"#, "inSeconds"),
            ] {
                let problem = try await notice(body).problem
                #expect(problem?.status == 422 && problem?.causes.map(\.field) == [field], "\(body)")
            }
            let trial = try await notice(#"{"reason":"spot","inSeconds":60}"#, "?dryRun=true")
            #expect(trial.status == .ok)
            func host() async throws -> String {
                String(buffer: try await client.send(.get, "/v1/hosts/it").body)
            }
            #expect(try await !host().contains("preemption"))
            let taken = try await notice(#"{"reason":"spot","inSeconds":60}"#)
            #expect(taken.status == .accepted && taken.headers[.location] != nil)
            let spec = try await host()
            for part in [
                #""purpose":"preemption""#, #""atDeadline":"stop""#, #""force":true"#, #""deadline":"#,
                #""cordonReason":"spot""#,
            ] {
                #expect(spec.contains(part), "\(part)")
            }
        }
    }
}
